package dev.caskwright.infinispan;

import org.infinispan.commons.CacheConfigurationException;
import org.infinispan.configuration.cache.AbstractStoreConfigurationBuilder;
import org.infinispan.configuration.cache.PersistenceConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfiguration;
import org.infinispan.persistence.PersistenceUtil;

/**
 * Configures a {@link CaskwrightStore}:
 *
 * <pre>
 * builder.persistence().addStore(CaskwrightStoreConfigurationBuilder.class).path("/var/lib/caches");
 * </pre>
 *
 * <p>Properties that start with {@code engine.} are options of the engine, such as {@code engine.max-file-bytes}.
 */
public final class CaskwrightStoreConfigurationBuilder
        extends AbstractStoreConfigurationBuilder<CaskwrightStoreConfiguration, CaskwrightStoreConfigurationBuilder> {

    /** Called by Infinispan. */
    public CaskwrightStoreConfigurationBuilder(PersistenceConfigurationBuilder builder) {
        super(builder, CaskwrightStoreConfiguration.attributeSet());
    }

    /**
     * Sets the directory below which each cache has one of its own; by default the one of Infinispan's global state.
     */
    public CaskwrightStoreConfigurationBuilder path(String directory) {
        attributes.attribute(CaskwrightStoreConfiguration.PATH).set(directory);
        return this;
    }

    /** Sets the name of the engine, which must hold an ordered view; {@code bitcask} with {@code sorted} by default. */
    public CaskwrightStoreConfigurationBuilder engine(String name) {
        attributes.attribute(CaskwrightStoreConfiguration.ENGINE).set(name);
        return this;
    }

    /**
     * Sets whether a write is acknowledged only after it survives a power loss; off by default: then it survives the
     * end of the process, however that comes.
     */
    public CaskwrightStoreConfigurationBuilder syncWrites(boolean sync) {
        attributes.attribute(CaskwrightStoreConfiguration.SYNC).set(sync);
        return this;
    }

    /**
     * Sets whether a thread that calls the cache and may block, that is one of the application, reads entries from the files by itself,
     * and writes them unless writes are synchronous; on by default. If it is off, or the thread is one of Infinispan's non-blocking ones,
     * a blocking thread of Infinispan does. An application that calls the cache on an event loop of its own turns it off.
     */
    public CaskwrightStoreConfigurationBuilder callerRuns(boolean runs) {
        attributes.attribute(CaskwrightStoreConfiguration.CALLER_RUNS).set(runs);
        return this;
    }

    /** Sets who is told of writes that the store refuses; by default nobody but who asked for them. Not part of XML and its like. */
    public CaskwrightStoreConfigurationBuilder onFailedWrite(FailedWrites listener) {
        attributes.attribute(CaskwrightStoreConfiguration.FAILED_WRITES).set(listener);
        return this;
    }

    @Override
    public void validate() {
        HostVersion.check();
        super.validate();
        if (attributes.attribute(CaskwrightStoreConfiguration.SHARED).get()) {
            throw new CacheConfigurationException("a caskwright-store is private to its node: shared=true");
        }
        if (!attributes.attribute(CaskwrightStoreConfiguration.SEGMENTED).get()) {
            throw new CacheConfigurationException("a caskwright-store is always segmented: segmented=false");
        }
    }

    @Override
    public void validate(GlobalConfiguration global) {
        PersistenceUtil.validateGlobalStateStoreLocation(
                global, CaskwrightStore.class.getSimpleName(), attributes.attribute(CaskwrightStoreConfiguration.PATH));
        super.validate(global);
    }

    @Override
    public CaskwrightStoreConfiguration create() {
        return new CaskwrightStoreConfiguration(attributes.protect(), async.create());
    }

    @Override
    public CaskwrightStoreConfigurationBuilder self() {
        return this;
    }
}
