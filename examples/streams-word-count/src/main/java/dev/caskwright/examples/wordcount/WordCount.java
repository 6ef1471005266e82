package dev.caskwright.examples.wordcount;

import dev.caskwright.kafka.CaskwrightStoreSuppliers;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Counts the words of the lines of a topic, each exactly once, whatever becomes of the process. Kill it with {@code kill
 * -9}, start it again with the same directory, and it goes on: it restores only what came after its last commit, and
 * says how much that was.
 *
 * <pre>
 * java ... WordCount localhost:9092 /var/lib/word-count
 * </pre>
 */
public final class WordCount {
    /** The topic whose values are lines. */
    public static final String LINES = "lines";

    /** The topic of words and how often each was seen so far. */
    public static final String COUNTS = "counts";

    /** The name of the application, and of its consumer group. */
    public static final String APPLICATION = "word-count";

    private WordCount() {}

    /** Runs until the process ends. Arguments: bootstrap servers, directory of the state. */
    public static void main(String[] arguments) {
        KafkaStreams streams = new KafkaStreams(topology(), configuration(arguments[0], arguments[1]));
        streams.setGlobalStateRestoreListener(new Teller());
        streams.setStateListener((now, before) -> System.out.println("state " + now));
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    static Properties configuration(String servers, String directory) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, directory);
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        // The one line that puts the state into Caskwright.
        properties.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, CaskwrightStoreSuppliers.class);
        // Exactly once, and a state that a crash leaves as it was at the last commit.
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.TRANSACTIONAL_STATE_STORES_CONFIG, true);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        // A process that was killed is missed sooner.
        properties.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6_000);
        properties.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 5_000);
        return properties;
    }

    static Topology topology() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(LINES)
                .flatMapValues(line -> List.of(line.toLowerCase(Locale.ROOT).split("\\W+")))
                .groupBy((key, word) -> word, Grouped.as("words"))
                .count(Materialized.as("words-seen"))
                .toStream()
                .to(COUNTS, Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }

    /** Tells what is restored. */
    private static final class Teller implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
            System.out.println("restoring " + store + " from " + from + " to " + to);
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long last, long count) {
            // The end tells how many it was.
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
            System.out.println("restored " + store + " " + total);
        }
    }
}
