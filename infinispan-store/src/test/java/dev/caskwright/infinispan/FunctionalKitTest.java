package dev.caskwright.infinispan;

import java.nio.file.Path;
import org.infinispan.commons.test.CommonsTestingUtil;
import org.infinispan.commons.util.Util;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.cache.PersistenceConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.EmbeddedCacheManager;
import org.infinispan.persistence.BaseStoreFunctionalTest;
import org.testng.annotations.AfterClass;
import org.testng.annotations.BeforeClass;
import org.testng.annotations.Test;

/** Infinispan's own tests of a store below a cache. */
@Test(groups = "unit", testName = "dev.caskwright.infinispan.FunctionalKitTest")
public class FunctionalKitTest extends BaseStoreFunctionalTest {
    private final String directory = CommonsTestingUtil.tmpDirectory(getClass());

    @BeforeClass(alwaysRun = true)
    @AfterClass(alwaysRun = true)
    void removeFiles() {
        Util.recursiveFileRemove(Path.of(directory));
    }

    @Override
    protected EmbeddedCacheManager createCacheManager(
            boolean start, GlobalConfigurationBuilder global, ConfigurationBuilder cache) {
        global.globalState().persistentLocation(directory);
        return super.createCacheManager(start, global, cache);
    }

    @Override
    protected PersistenceConfigurationBuilder createCacheStoreConfig(
            PersistenceConfigurationBuilder persistence, String cache, boolean preload) {
        persistence
                .addStore(CaskwrightStoreConfigurationBuilder.class)
                .path(cache) // below the global state's
                .preload(preload);
        return persistence;
    }
}
