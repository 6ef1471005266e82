package dev.caskwright.api.spi.engine;

import dev.caskwright.api.Durability;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How to open a store of an engine that was found by name. Immutable.
 *
 * @param access what is to be done with the store
 * @param durability what writes survive that do not say, or null for the engine's default
 * @param options options of the engine, by name; see {@link EngineProvider#options}
 */
public record EngineSettings(Access access, @Nullable Durability durability, Map<String, String> options) {
    /** What is to be done with a store. */
    public enum Access {
        /** Read, and change nothing on disk. */
        READ,
        /** Write to a store that must exist. */
        WRITE,
        /** Write to a store that is made if there is nothing at its place, or an empty directory. */
        CREATE,
        /** Write to a store that is made even in a directory that holds other files. */
        CREATE_AMONG_OTHER_FILES;

        /** Returns whether a missing store is made. */
        public boolean creates() {
            return this == CREATE || this == CREATE_AMONG_OTHER_FILES;
        }
    }

    public EngineSettings {
        Objects.requireNonNull(access, "access");
        options = Map.copyOf(options);
    }

    /** Returns settings without options. */
    public static EngineSettings of(Access access) {
        return new EngineSettings(access, null, Map.of());
    }

    /** Returns these settings with a durability. */
    public EngineSettings durability(Durability level) {
        return new EngineSettings(access, Objects.requireNonNull(level, "level"), options);
    }

    /** Returns these settings with an option, in place of one of that name. */
    public EngineSettings option(String name, String value) {
        Map<String, String> more = new TreeMap<>(options);
        more.put(name, value);
        return new EngineSettings(access, durability, more);
    }

    /**
     * Returns the value of an option as {@code parse} makes it, or {@code absent} if it is not set.
     *
     * @throws IllegalArgumentException if {@code parse} throws one; the message names the option
     */
    public <T> T parsed(String name, Function<String, T> parse, T absent) {
        String value = options.get(name);
        if (value == null) {
            return absent;
        }
        try {
            return parse.apply(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "bad value of an option: option=" + name + ", value=" + value + ": " + e.getMessage(), e);
        }
    }

    /**
     * Refuses options that an engine does not know.
     *
     * @throws IllegalArgumentException if there is one; the message lists those of {@code known}
     */
    public void refuseUnknown(String engine, Map<String, String> known) {
        for (String name : options.keySet()) {
            if (!known.containsKey(name)) {
                throw new IllegalArgumentException("unknown option: engine=" + engine + ", option=" + name + ", known="
                        + String.join(", ", new TreeSet<>(known.keySet())));
            }
        }
    }
}
