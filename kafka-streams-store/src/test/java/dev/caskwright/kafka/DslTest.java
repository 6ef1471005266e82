package dev.caskwright.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslStoreSuppliers;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A topology with every kind of store gives the same output over ours, by one line of configuration, as over Kafka's.
 */
class DslTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "DEFAULT, at_least_once, false",
        "HEADERS, at_least_once, false",
        "DEFAULT, exactly_once_v2, false",
        "DEFAULT, exactly_once_v2, true"
    })
    void topologyGivesTheOutputOfTheModel(String format, String guarantee, String transactional) throws Exception {
        long seed = System.nanoTime();
        Properties properties = new Properties();
        properties.put(StreamsConfig.DSL_STORE_FORMAT_CONFIG, format);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        properties.put(StreamsConfig.TRANSACTIONAL_STATE_STORES_CONFIG, transactional);
        List<String> model =
                run(seed, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class, properties, directory.resolve("m"));
        List<String> ours = run(seed, CaskwrightStoreSuppliers.class, properties, directory.resolve("o"));
        assertThat(ours).as("seed %d", seed).isEqualTo(model).hasSizeGreaterThan(500);
    }

    private List<String> run(long seed, Class<? extends DslStoreSuppliers> suppliers, Properties options, Path state)
            throws Exception {
        Files.createDirectories(state);
        Properties properties = new Properties();
        properties.putAll(options);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "dsl");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, suppliers);
        properties.put(StoreOptions.MAX_UNCOMMITTED, "1000");
        Random random = new Random(seed);
        try (TopologyTestDriver driver = new TopologyTestDriver(topology(properties), properties)) {
            TestInputTopic<String, String> left =
                    driver.createInputTopic("left", new StringSerializer(), new StringSerializer());
            TestInputTopic<String, String> right =
                    driver.createInputTopic("right", new StringSerializer(), new StringSerializer());
            long now = 1_000_000;
            for (int i = 0; i < 400; i++) {
                now += random.nextInt(20_000);
                String key = "k" + random.nextInt(5);
                (random.nextBoolean() ? left : right)
                        .pipeInput(key, "v" + i, Instant.ofEpochMilli(now - random.nextInt(30_000)));
            }
            if (suppliers == CaskwrightStoreSuppliers.class) {
                try (var files = Files.walk(state)) {
                    List<String> names = files.map(Path::toString).toList();
                    assertThat(names).noneMatch(each -> each.contains("rocksdb"));
                    assertThat(names.stream().filter(each -> each.endsWith("caskwright")))
                            .isNotEmpty();
                }
            }
            return driver
                    .createOutputTopic("out", new StringDeserializer(), new StringDeserializer())
                    .readRecordsToList()
                    .stream()
                    .map(each -> each.key() + "=" + each.value() + "@" + each.timestamp())
                    .toList();
        }
    }

    private static Topology topology(Properties properties) {
        StreamsBuilder builder =
                new StreamsBuilder(new org.apache.kafka.streams.TopologyConfig(new StreamsConfig(properties)));
        KStream<String, String> left = builder.stream("left");
        KStream<String, String> right = builder.stream("right");
        KTable<String, Long> counts = left.groupByKey().count();
        counts.toStream().mapValues(each -> "count " + each).to("out");
        left.groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofMinutes(1)))
                .count()
                .toStream()
                .map((key, value) -> org.apache.kafka.streams.KeyValue.pair(key.toString(), "window " + value))
                .to("out");
        right.groupByKey()
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(40), Duration.ofMinutes(1)))
                .count()
                .toStream()
                .map((key, value) -> org.apache.kafka.streams.KeyValue.pair(key.toString(), "session " + value))
                .to("out");
        JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(20), Duration.ofSeconds(30));
        left.outerJoin(right, (l, r) -> "join " + l + "/" + r, windows).to("out");
        right.leftJoin(counts, (r, count) -> "table " + r + "/" + count).to("out");
        return builder.build();
    }
}
