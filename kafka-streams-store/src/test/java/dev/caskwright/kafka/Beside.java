package dev.caskwright.kafka;

import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;

/** A task with two stores, ours and the one that Kafka keeps in memory, to which the same is done. */
final class Beside<S extends StateStore> implements AutoCloseable {
    /** An option of ours alone: whether Kafka's cache is before the store. */
    static final String CACHED = "cached";

    private final TopologyTestDriver driver;
    private final TestInputTopic<String, String> ticks;

    Beside(Path directory, StoreBuilder<S> ours, StoreBuilder<S> model) {
        this(directory, ours, model, Map.of(StoreOptions.MAX_UNCOMMITTED, "3000"));
    }

    Beside(Path directory, StoreBuilder<S> ours, StoreBuilder<S> model, Map<String, String> options) {
        Topology topology = new Topology();
        topology.addSource("source", "ticks");
        topology.addProcessor(
                "nothing",
                () -> new Processor<Object, Object, Object, Object>() {
                    @Override
                    public void process(Record<Object, Object> record) {}
                },
                "source");
        boolean isCached = Boolean.parseBoolean(options.get(CACHED));
        topology.addStateStore(
                (isCached ? ours.withCachingEnabled() : ours.withCachingDisabled()).withLoggingDisabled(), "nothing");
        topology.addStateStore(model.withCachingDisabled().withLoggingDisabled(), "nothing");
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "beside");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.putAll(options);
        driver = new TopologyTestDriver(topology, properties);
        ticks = driver.createInputTopic("ticks", new StringSerializer(), new StringSerializer());
    }

    @SuppressWarnings("unchecked")
    S store(String name) {
        StateStore found = driver.getKeyValueStore(name);
        found = found == null ? driver.getWindowStore(name) : found;
        return (S) (found == null ? driver.getSessionStore(name) : found);
    }

    /** Makes the task commit. */
    void commit() {
        ticks.pipeInput("tick", "tack");
    }

    @Override
    public void close() {
        driver.close();
    }
}
