package dev.caskwright.kafka;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.DslKeyValueParams;

/** Refuses versions of Kafka Streams that do not let a store manage its offsets. */
final class HostVersion {
    static final String NEEDED = "4.4 or a later 4.x";

    private HostVersion() {}

    /** Throws an {@link UnsupportedVersionException} if the Kafka Streams of this class path is too old. */
    static void check() {
        check(StateStore.class, DslKeyValueParams.class, version());
    }

    static void check(Class<?> stateStore, Class<?> parameters, String version) {
        try {
            stateStore.getMethod("committedOffset", TopicPartition.class);
            parameters.getMethod("dslStoreFormat");
        } catch (NoSuchMethodException e) {
            throw new UnsupportedVersionException(
                    "this version of Kafka Streams does not let a store manage its offsets: version=" + version
                            + ", needed=" + NEEDED,
                    e);
        }
    }

    private static String version() {
        Properties properties = new Properties();
        try (InputStream in = StateStore.class.getResourceAsStream("/kafka/kafka-streams-version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            return "unreadable: " + e.getMessage();
        }
        return properties.getProperty("version", "unknown");
    }
}
