package dev.caskwright.kafka;

import java.io.File;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsMetrics;
import org.apache.kafka.streams.processor.BatchingStateRestoreCallback;
import org.apache.kafka.streams.processor.CommitCallback;
import org.apache.kafka.streams.processor.StateRestoreCallback;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** What a store sees of a task, without the rest of Kafka Streams. */
final class TestContext implements StateStoreContext {
    private final Map<String, Object> configuration = new HashMap<>();
    private final Path directory;
    private final TaskId task;
    private final StreamsMetrics metrics;
    private StateRestoreCallback callback;
    private RecordMetadata record;
    private RuntimeException refusal;

    TestContext(Path directory, Map<String, ?> configuration) {
        this(directory, new TaskId(0, 0), configuration);
    }

    TestContext(Path directory, TaskId task, Map<String, ?> configuration) {
        this.directory = directory;
        this.task = task;
        this.configuration.putAll(configuration);
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        metrics = new MockProcessorContext<>(properties, task, directory.toFile()).metrics();
    }

    /** Lets the store process a record from now on. */
    void at(String topic, int partition, long offset) {
        record = new RecordMetadata() {
            @Override
            public String topic() {
                return topic;
            }

            @Override
            public int partition() {
                return partition;
            }

            @Override
            public long offset() {
                return offset;
            }
        };
    }

    /** Lets the registration of a store fail. */
    TestContext refusing(RuntimeException failure) {
        refusal = failure;
        return this;
    }

    /** Hands a batch of the changelog to the store. */
    void restore(List<KeyValue<byte[], byte[]>> records) {
        ((BatchingStateRestoreCallback) callback).restoreAll(records);
    }

    @Override
    public String applicationId() {
        return "test";
    }

    @Override
    public TaskId taskId() {
        return task;
    }

    @Override
    public Optional<RecordMetadata> recordMetadata() {
        return Optional.ofNullable(record);
    }

    @Override
    public Serde<?> keySerde() {
        return Serdes.Bytes();
    }

    @Override
    public Serde<?> valueSerde() {
        return Serdes.ByteArray();
    }

    @Override
    public File stateDir() {
        return directory.toFile();
    }

    @Override
    public StreamsMetrics metrics() {
        return metrics;
    }

    @Override
    public void register(StateStore store, StateRestoreCallback restore) {
        if (refusal != null) {
            throw refusal;
        }
        callback = restore;
    }

    @Override
    public void register(StateStore store, StateRestoreCallback restore, CommitCallback commit) {
        callback = restore;
    }

    @Override
    public Map<String, Object> appConfigs() {
        return configuration;
    }

    @Override
    public Map<String, Object> appConfigsWithPrefix(String prefix) {
        return configuration;
    }
}
