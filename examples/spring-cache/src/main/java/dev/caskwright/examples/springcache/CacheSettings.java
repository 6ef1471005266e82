package dev.caskwright.examples.springcache;

import java.nio.file.Path;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings {@code caches.directory}, {@code caches.entries-in-memory} and {@code caches.lifespan}.
 *
 * @param directory where caches are kept
 * @param entriesInMemory how many entries of each cache are in memory, too
 * @param lifespan for how long an entry is good
 */
@ConfigurationProperties("caches")
public record CacheSettings(
        Path directory,
        @DefaultValue("10000") long entriesInMemory,
        @DefaultValue("1d") Duration lifespan) {}
