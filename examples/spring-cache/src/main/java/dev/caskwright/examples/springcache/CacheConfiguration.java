package dev.caskwright.examples.springcache;

import dev.caskwright.infinispan.CaskwrightStoreConfigurationBuilder;
import java.util.concurrent.TimeUnit;
import org.infinispan.commons.CacheException;
import org.infinispan.commons.marshall.JavaSerializationMarshaller;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.manager.EmbeddedCacheManager;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Puts Infinispan behind Spring's annotations, and Caskwright below Infinispan. */
@Configuration(proxyBeanMethods = false)
@EnableCaching
@EnableConfigurationProperties(CacheSettings.class)
public class CacheConfiguration {
    /** Spring Boot finds it, and makes its own manager of caches from it. Spring stops it after all beans that use it. */
    @Bean(destroyMethod = "stop")
    EmbeddedCacheManager caches(CacheSettings settings) {
        GlobalConfigurationBuilder global = new GlobalConfigurationBuilder().nonClusteredDefault();
        global.serialization()
                .marshaller(new JavaSerializationMarshaller())
                .allowList()
                .addClass(Note.class.getName());
        ConfigurationBuilder cache = new ConfigurationBuilder();
        cache.memory().maxCount(settings.entriesInMemory());
        cache.expiration().lifespan(settings.lifespan().toMillis(), TimeUnit.MILLISECONDS);
        cache.persistence()
                .addStore(CaskwrightStoreConfigurationBuilder.class)
                .path(settings.directory().toString());
        DefaultCacheManager caches = new DefaultCacheManager(global.build());
        caches.defineConfiguration(Notes.CACHE, cache.build());
        try {
            // Now, not when it is first used: without its directory the application does not start.
            caches.startCaches(Notes.CACHE);
        } catch (CacheException e) {
            caches.stop();
            throw e;
        }
        return caches;
    }
}
