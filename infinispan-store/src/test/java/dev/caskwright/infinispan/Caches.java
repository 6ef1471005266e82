package dev.caskwright.infinispan;

import java.nio.file.Path;
import java.util.function.Consumer;
import org.infinispan.configuration.cache.CacheMode;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.cache.StorageType;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;

/** Makes cache managers whose caches have our store, with few entries in memory. */
final class Caches {
    static final String NAME = "cache";

    private Caches() {}

    static ConfigurationBuilder local(Path directory) {
        return local(directory, store -> {});
    }

    static ConfigurationBuilder local(Path directory, Consumer<CaskwrightStoreConfigurationBuilder> more) {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.memory().storage(StorageType.HEAP).maxCount(100);
        CaskwrightStoreConfigurationBuilder store = builder.persistence()
                .addStore(CaskwrightStoreConfigurationBuilder.class)
                .path(directory.toString());
        more.accept(store);
        return builder;
    }

    static ConfigurationBuilder distributed(Path directory) {
        ConfigurationBuilder builder = local(directory);
        builder.clustering().cacheMode(CacheMode.DIST_SYNC).hash().numOwners(2);
        return builder;
    }

    /** Returns the same over Infinispan's own file store. */
    static ConfigurationBuilder distributedOverFiles(Path directory) {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.memory().storage(StorageType.HEAP).maxCount(100);
        builder.persistence()
                .addSoftIndexFileStore()
                .dataLocation(directory.resolve("data").toString())
                .indexLocation(directory.resolve("index").toString());
        builder.clustering().cacheMode(CacheMode.DIST_SYNC).hash().numOwners(2);
        return builder;
    }

    /** Returns the same without a store, all in memory. */
    static ConfigurationBuilder distributedInMemory() {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.clustering().cacheMode(CacheMode.DIST_SYNC).hash().numOwners(2);
        return builder;
    }

    static DefaultCacheManager alone(ConfigurationBuilder cache) {
        DefaultCacheManager manager = new DefaultCacheManager(new GlobalConfigurationBuilder().build());
        try {
            manager.defineConfiguration(NAME, cache.build());
        } catch (RuntimeException e) {
            manager.stop();
            throw e;
        }
        return manager;
    }
}
