package dev.caskwright.kafka;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.engine.EngineSettings;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigException;

/**
 * How stores are kept. Read from the configuration of the Streams application, where each name starts with {@code
 * caskwright.}; every option has a default. Immutable.
 *
 * @param engine name of the engine, which must hold an ordered view: {@code caskwright.engine}, {@code bitcask} by
 *     default
 * @param engineOptions options of the engine by name: {@code caskwright.engine.NAME}. The default engine gets {@code
 *     index=sorted}, {@code io=mmap} and {@code max-file-bytes=16777216} unless they are set
 * @param durability what a commit survives: {@code caskwright.durability}, {@code write} (kill -9, the default) or
 *     {@code sync} (also a power loss)
 * @param maxUncommittedBytes how many bytes of changes one store gathers in memory before it writes them without
 *     waiting for the commit, 0 or more: {@code caskwright.uncommitted.max.bytes}, 8 MiB by default. Without effect
 *     when Kafka's {@code enable.transactional.statestores} is on; then its {@code statestore.uncommitted.max.bytes} is
 *     the bound
 */
public record StoreOptions(
        String engine, Map<String, String> engineOptions, Durability durability, long maxUncommittedBytes) {
    static final String PREFIX = "caskwright.";
    static final String ENGINE = PREFIX + "engine";
    static final String DURABILITY = PREFIX + "durability";
    static final String MAX_UNCOMMITTED = PREFIX + "uncommitted.max.bytes";
    static final long DEFAULT_MAX_UNCOMMITTED = 8L << 20;

    private static final String ENGINE_OPTION = ENGINE + ".";
    private static final String DEFAULT_ENGINE = "bitcask";
    private static final Map<String, String> DEFAULT_ENGINE_OPTIONS =
            Map.of("index", "sorted", "io", "mmap", "max-file-bytes", Long.toString(16L << 20));

    public StoreOptions {
        if (maxUncommittedBytes < 0) {
            throw new ConfigException(MAX_UNCOMMITTED, maxUncommittedBytes, "must be 0 or more");
        }
        if (durability == Durability.NONE) {
            throw new ConfigException(DURABILITY, durability, "must be write or sync");
        }
        engineOptions = Map.copyOf(engineOptions);
    }

    /** Returns the options in a configuration. Throws a {@link ConfigException} that names a bad or unknown one. */
    static StoreOptions from(Map<String, ?> configuration) {
        String engine = DEFAULT_ENGINE;
        Durability durability = Durability.WRITE;
        long maxUncommitted = DEFAULT_MAX_UNCOMMITTED;
        Map<String, String> options = new TreeMap<>();
        for (Map.Entry<String, ?> each : configuration.entrySet()) {
            String name = each.getKey();
            if (!name.startsWith(PREFIX)) {
                continue;
            }
            String value = String.valueOf(each.getValue());
            if (name.startsWith(ENGINE_OPTION)) {
                options.put(name.substring(ENGINE_OPTION.length()), value);
                continue;
            }
            switch (name) {
                case ENGINE -> engine = value;
                case DURABILITY -> durability = durability(value);
                case MAX_UNCOMMITTED -> maxUncommitted = bytes(value);
                default ->
                    throw new ConfigException("unknown option: " + name + ", known=" + ENGINE + ", " + ENGINE_OPTION
                            + "NAME, " + DURABILITY + ", " + MAX_UNCOMMITTED);
            }
        }
        if (engine.equals(DEFAULT_ENGINE)) {
            DEFAULT_ENGINE_OPTIONS.forEach(options::putIfAbsent);
        }
        return new StoreOptions(engine, options, durability, maxUncommitted);
    }

    EngineSettings settings() {
        return new EngineSettings(EngineSettings.Access.CREATE, durability, engineOptions);
    }

    private static Durability durability(String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "write" -> Durability.WRITE;
            case "sync" -> Durability.SYNC;
            default -> throw new ConfigException(DURABILITY, value, "must be write or sync");
        };
    }

    private static long bytes(String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new ConfigException(MAX_UNCOMMITTED, value, "must be a number of bytes");
        }
    }
}
