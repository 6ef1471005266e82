package dev.caskwright.infinispan;

import dev.caskwright.api.Durability;
import java.util.Map;
import java.util.TreeMap;
import org.infinispan.commons.configuration.BuiltBy;
import org.infinispan.commons.configuration.ConfigurationFor;
import org.infinispan.commons.configuration.attributes.AttributeDefinition;
import org.infinispan.commons.configuration.attributes.AttributeSet;
import org.infinispan.configuration.cache.AbstractStoreConfiguration;
import org.infinispan.configuration.cache.AsyncStoreConfiguration;
import org.infinispan.configuration.serializing.SerializedWith;

/** The configuration of a {@link CaskwrightStore}. Made by {@link CaskwrightStoreConfigurationBuilder}. */
@ConfigurationFor(CaskwrightStore.class)
@BuiltBy(CaskwrightStoreConfigurationBuilder.class)
@SerializedWith(CaskwrightStoreConfigurationSerializer.class)
public final class CaskwrightStoreConfiguration extends AbstractStoreConfiguration<CaskwrightStoreConfiguration> {
    /** The name of the element in XML, JSON and YAML. */
    enum Element {
        CASKWRIGHT_STORE;

        @Override
        public String toString() {
            return "caskwright-store";
        }
    }

    static final String NAMESPACE = "urn:caskwright:config:store:";

    static final AttributeDefinition<String> PATH =
            AttributeDefinition.builder("path", null, String.class).immutable().build();
    static final AttributeDefinition<String> ENGINE =
            AttributeDefinition.builder("engine", "bitcask").immutable().build();
    static final AttributeDefinition<Boolean> SYNC =
            AttributeDefinition.builder("sync-writes", false).immutable().build();
    static final AttributeDefinition<Boolean> CALLER_RUNS =
            AttributeDefinition.builder("caller-runs", true).immutable().build();
    static final AttributeDefinition<FailedWrites> FAILED_WRITES = AttributeDefinition.builder(
                    "failed-writes", (FailedWrites) problem -> {}, FailedWrites.class)
            .immutable()
            .autoPersist(false)
            .build();

    private static final String ENGINE_OPTION = "engine.";
    private static final Map<String, String> DEFAULT_OPTIONS = Map.of("index", "sorted", "io", "mmap");

    CaskwrightStoreConfiguration(AttributeSet attributes, AsyncStoreConfiguration async) {
        super(Element.CASKWRIGHT_STORE, attributes, async);
    }

    static AttributeSet attributeSet() {
        return new AttributeSet(
                CaskwrightStoreConfiguration.class,
                AbstractStoreConfiguration.attributeDefinitionSet(),
                PATH,
                ENGINE,
                SYNC,
                CALLER_RUNS,
                FAILED_WRITES);
    }

    /** Returns the directory below which each cache has one of its own; null for that of Infinispan's global state. */
    public String path() {
        return attributes.attribute(PATH).get();
    }

    /** Returns the name of the engine. */
    public String engine() {
        return attributes.attribute(ENGINE).get();
    }

    /** Returns whether a write is acknowledged only after it survives a power loss. */
    public boolean syncWrites() {
        return attributes.attribute(SYNC).get();
    }

    /** Returns whether a thread that may block, as those of an application may, reads and writes by itself. */
    public boolean callerRuns() {
        return attributes.attribute(CALLER_RUNS).get();
    }

    /** Returns who is told of writes that the store refuses. */
    FailedWrites failedWrites() {
        return attributes.attribute(FAILED_WRITES).get();
    }

    Durability durability() {
        return syncWrites() ? Durability.SYNC : Durability.WRITE;
    }

    /** Returns the options of the engine: the properties that start with {@code engine.}, and defaults. */
    Map<String, String> engineOptions() {
        Map<String, String> options = new TreeMap<>();
        for (String name : properties().stringPropertyNames()) {
            if (name.startsWith(ENGINE_OPTION)) {
                options.put(name.substring(ENGINE_OPTION.length()), properties().getProperty(name));
            }
        }
        if (engine().equals(ENGINE.getDefaultValue())) {
            DEFAULT_OPTIONS.forEach(options::putIfAbsent);
        }
        return options;
    }
}
