package dev.caskwright.infinispan;

import org.infinispan.commons.CacheConfigurationException;
import org.infinispan.commons.util.Version;

/** Refuses versions of Infinispan that this store was not made for: what a store is asked for, and when, differs among them. */
final class HostVersion {
    private static final String MAJOR = "16";

    private HostVersion() {}

    /** Throws a {@link CacheConfigurationException} if the Infinispan of this class path is not one of these. */
    static void check() {
        check(Version.getMajor(), Version.getVersion());
    }

    static void check(String major, String version) {
        if (!major.equals(MAJOR)) {
            throw new CacheConfigurationException(
                    "this version of Infinispan is not supported: version=" + version + ", needed=" + MAJOR + ".x");
        }
    }
}
