package dev.caskwright.examples.wordcount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kills the word count while it works, against a real broker, and looks whether it goes on where it was. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
final class WordCountTest {
    private static final String[] WORDS = {"oak", "ash", "elm", "fir", "yew", "box", "bay"};
    private static final TopicPartition LINES = new TopicPartition(WordCount.LINES, 0);

    @TempDir
    private Path directory;

    private final Random random = new Random(42);
    private final Map<String, Long> expected = new HashMap<>();
    private final Map<String, Long> seen = new HashMap<>();
    private long lines;

    /** The application in a process of its own, and what it has told. */
    private static final class Application {
        private final Process process;
        private final List<String> told = Collections.synchronizedList(new ArrayList<>());
        private final Thread reader;

        Application(String servers, Path state) throws IOException {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("java.class.path"),
                            WordCount.class.getName(),
                            servers,
                            state.toString())
                    .redirectError(state.resolveSibling("word-count.err").toFile())
                    .start();
            reader = new Thread(() -> {
                try (BufferedReader lines = process.inputReader()) {
                    lines.lines().forEach(told::add);
                } catch (IOException e) {
                    told.add("unreadable " + e);
                }
            });
            reader.start();
        }

        void kill() throws InterruptedException {
            process.destroyForcibly();
            process.waitFor();
            reader.join();
        }

        long restored() {
            synchronized (told) {
                return told.stream()
                        .filter(line -> line.startsWith("restored "))
                        .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
                        .sum();
            }
        }
    }

    @Test
    void aKilledWordCountGoesOnAndRestoresNothingThatWasCommitted() throws Exception {
        try (Broker broker = new Broker(directory.resolve("broker"))) {
            run(broker.servers());
        }
    }

    private void run(String servers) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", servers);
        Map<String, Object> reading = Map.of("bootstrap.servers", servers, "isolation.level", "read_committed");
        try (Admin admin = Admin.create(settings);
                KafkaProducer<String, String> producer =
                        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
                KafkaConsumer<String, Long> counts =
                        new KafkaConsumer<>(reading, new StringDeserializer(), new LongDeserializer())) {
            admin.createTopics(List.of(
                            new NewTopic(WordCount.LINES, 1, (short) 1), new NewTopic(WordCount.COUNTS, 1, (short) 1)))
                    .all()
                    .get();
            TopicPartition output = new TopicPartition(WordCount.COUNTS, 0);
            counts.assign(List.of(output));
            counts.seekToBeginning(List.of(output));
            Path state = directory.resolve("state");

            Application application = new Application(servers, state);
            try {
                send(producer, 500);
                awaitCounts(counts, application);
                send(producer, 500);
                awaitSome(counts, application); // it is in the middle of its work
                application.kill();

                application = new Application(servers, state);
                send(producer, 500);
                awaitCounts(counts, application);
                awaitCommit(admin, application);
                // Once the next line is committed as well, the state has what came before: a task commits in turn.
                send(producer, 1);
                awaitCounts(counts, application);
                awaitCommit(admin, application);
                application.kill();

                application = new Application(servers, state);
                send(producer, 1);
                awaitCounts(counts, application);
                // No more than the last transaction, whose commit the state may not have been told of any more: the
                // counts of one line, and the mark that ends it.
                assertTrue(application.restored() <= WORDS.length + 1, () -> "restored too much");
            } finally {
                application.kill();
            }
            assertEquals(expected, seen);
        }
    }

    private void send(KafkaProducer<String, String> producer, int number) {
        for (int i = 0; i < number; i++) {
            StringBuilder line = new StringBuilder();
            for (int left = 1 + random.nextInt(WORDS.length); left > 0; left--) {
                String word = WORDS[random.nextInt(WORDS.length)];
                expected.merge(word, 1L, Long::sum);
                line.append(word).append(left == 1 ? "" : " ");
            }
            producer.send(new ProducerRecord<>(WordCount.LINES, line.toString()));
        }
        producer.flush();
        lines += number;
    }

    private boolean poll(KafkaConsumer<String, Long> counts, Application application) {
        assertTrue(application.process.isAlive(), () -> "the application ended: " + application.told);
        var records = counts.poll(Duration.ofMillis(200));
        records.forEach(each -> {
            long before = seen.getOrDefault(each.key(), 0L);
            assertEquals(before + 1, each.value(), () -> "a count was lost or doubled: " + each.key());
            seen.put(each.key(), each.value());
        });
        return !records.isEmpty();
    }

    private void awaitCounts(KafkaConsumer<String, Long> counts, Application application) {
        while (!seen.equals(expected)) {
            poll(counts, application);
        }
    }

    private void awaitSome(KafkaConsumer<String, Long> counts, Application application) {
        while (!poll(counts, application)) {
            // until the first of the new counts is there
        }
    }

    private void awaitCommit(Admin admin, Application application) throws Exception {
        while (true) {
            assertTrue(application.process.isAlive(), () -> "the application ended: " + application.told);
            OffsetAndMetadata committed = admin.listConsumerGroupOffsets(WordCount.APPLICATION)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .get(LINES);
            if (committed != null && committed.offset() >= lines) {
                return;
            }
            TimeUnit.MILLISECONDS.sleep(50); // between questions to the broker
        }
    }
}
