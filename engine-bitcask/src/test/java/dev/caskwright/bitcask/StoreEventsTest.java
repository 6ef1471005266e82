package dev.caskwright.bitcask;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.store.WriteLock;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.ValueDescriptor;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a store tells Java Flight Recorder, and that it does without. */
@Timeout(120)
final class StoreEventsTest {
    private static final byte[] KEY = KeyValues.bytes("key");
    private static final List<String> NAMES =
            List.of("Open", "Recovery", "Merge", "Force", "WriterStall", "SlowOperation");

    @TempDir
    private Path directory;

    /** What is done while events are recorded. */
    private interface Work {
        void run() throws Exception;
    }

    /** Returns the events of the store's that are recorded while something is done, if each takes at least so long. */
    private List<RecordedEvent> recorded(Duration threshold, Work work) throws Exception {
        Path file = directory.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            NAMES.forEach(name -> recording.enable("dev.caskwright." + name).withThreshold(threshold));
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = new ArrayList<>();
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            if (event.getEventType().getName().startsWith("dev.caskwright.")) {
                events.add(event);
            }
        }
        return events;
    }

    private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals("dev.caskwright." + name))
                .toList();
    }

    private EngineBuilder builder() {
        return BitcaskEngine.builder(directory.resolve("store")).maxFileBytes(1 << 16);
    }

    @Test
    void openingRecoveryMergesForcesAndNewFilesAreRecorded() throws Exception {
        try (BitcaskEngine engine = builder().open()) {
            engine.put(KEY, new byte[10]);
        }
        List<RecordedEvent> events = recorded(Duration.ZERO, () -> {
            try (BitcaskEngine engine = builder().open()) {
                for (int i = 0; i < 5; i++) {
                    engine.put(KEY, new byte[20_000], WriteOptions.SYNC);
                }
                engine.merge();
            }
        });
        String store = directory.resolve("store").toString();
        assertThat(events)
                .allSatisfy(event -> assertThat(event.getString("store")).isEqualTo(store));
        RecordedEvent open = named(events, "Open").get(0);
        assertThat(open.getBoolean("succeeded")).isTrue();
        assertThat(open.getBoolean("readOnly")).isFalse();
        assertThat(open.getLong("keys")).isEqualTo(1);
        RecordedEvent recovery = named(events, "Recovery").get(0);
        assertThat(recovery.getLong("tornBytes")).isZero();
        assertThat(recovery.getInt("files")).isEqualTo(1);
        assertThat(recovery.getDuration()).isLessThanOrEqualTo(open.getDuration());
        assertThat(named(events, "Merge")).anySatisfy(merge -> {
            assertThat(merge.getBoolean("succeeded")).isTrue();
            assertThat(merge.getInt("inputFiles")).isPositive();
            assertThat(merge.getLong("inputBytes")).isGreaterThan(merge.getLong("outputBytes"));
        });
        assertThat(named(events, "Force").size()).isGreaterThanOrEqualTo(5);
        assertThat(named(events, "Force")).allSatisfy(force -> {
            assertThat(force.getBoolean("succeeded")).isTrue();
            assertThat(force.getInt("waitingThreads")).isPositive();
        });
        assertThat(named(events, "WriterStall"))
                .anySatisfy(stall -> assertThat(stall.getString("reason")).isEqualTo("new data file"));
    }

    @Test
    void aWriterThatWaitsForTheLockIsRecorded() throws Exception {
        WriteLock lock = new WriteLock("some store");
        List<RecordedEvent> events = recorded(Duration.ZERO, () -> {
            Thread writer = new Thread(() -> {
                lock.lockForWriting();
                lock.unlock();
            });
            lock.lock();
            try {
                writer.start();
                while (!lock.hasQueuedThread(writer)) {
                    Thread.onSpinWait();
                }
            } finally {
                lock.unlock();
            }
            writer.join();
        });
        assertThat(events).hasSize(1);
        assertThat(events.get(0).getString("store")).isEqualTo("some store");
        assertThat(events.get(0).getString("reason")).isEqualTo("write lock");
        assertThat(events.get(0).getStackTrace()).isNotNull();
    }

    @Test
    void eachOperationThatTakesAsLongAsTheThresholdIsRecorded() throws Exception {
        List<RecordedEvent> events = recorded(Duration.ZERO, this::useAllOperations);
        Set<String> operations = new HashSet<>();
        named(events, "SlowOperation").forEach(event -> operations.add(event.getString("operation")));
        assertThat(operations)
                .containsExactlyInAnyOrder(
                        "get", "get all", "read", "contains", "entry", "put", "put if", "delete", "write", "sync");
    }

    @Test
    void slowOperationsAreOffUntilTheyAreAskedFor() throws Exception {
        try (Recording recording = new Recording()) {
            recording.start();
            assertThat(StoreEvents.operation()).isNull();
            assertThat(StoreEvents.force()).isNotNull();
        }
    }

    @Test
    void whatIsFasterThanTheThresholdIsNot() throws Exception {
        assertThat(recorded(Duration.ofDays(1), this::useAllOperations)).isEmpty();
    }

    private void useAllOperations() throws IOException {
        try (BitcaskEngine engine = builder().durability(Durability.WRITE).open()) {
            engine.put(KEY, KEY);
            engine.putIfAbsent(KEY, KEY);
            engine.get(KEY);
            assertThat(engine.get(KEY, ByteBuffer.allocate(10))).isNotEqualTo(ReadView.ABSENT);
            engine.getAll(KEY);
            engine.read(KEY, value -> 1);
            engine.contains(KEY);
            engine.entry(KEY);
            engine.delete(KEY);
            engine.write(new WriteBatch().put(KEY, KEY));
            Transaction transaction = engine.transaction();
            transaction.put(KEY, KEY);
            transaction.commit(WriteOptions.WRITE);
            engine.sync();
        }
    }

    @Test
    void anOpeningThatFailsIsRecorded() throws Exception {
        List<RecordedEvent> events = recorded(Duration.ZERO, () -> {
            try (BitcaskEngine first = builder().open()) {
                try (BitcaskEngine second = builder().open()) {
                    throw new AssertionError("opened twice: " + first + ", " + second);
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining("store");
                }
            }
        });
        assertThat(named(events, "Open").stream().map(event -> event.getBoolean("succeeded")))
                .containsExactlyInAnyOrder(true, false);
    }

    @Test
    void whenNothingIsRecordedThereAreNoEvents() {
        assertThat(StoreEvents.open()).isNull();
        assertThat(StoreEvents.recovery()).isNull();
        assertThat(StoreEvents.merge()).isNull();
        assertThat(StoreEvents.force()).isNull();
        assertThat(StoreEvents.stall()).isNull();
        assertThat(StoreEvents.operation()).isNull();
    }

    @Test
    void allIsLabelledAndDescribed() throws Exception {
        recorded(Duration.ZERO, this::useAllOperations);
        List<EventType> types = FlightRecorder.getFlightRecorder().getEventTypes().stream()
                .filter(type -> type.getName().startsWith("dev.caskwright."))
                .toList();
        assertThat(types)
                .extracting(EventType::getName)
                .containsExactlyInAnyOrderElementsOf(
                        NAMES.stream().map(name -> "dev.caskwright." + name).toList());
        for (EventType type : types) {
            assertThat(type.getCategoryNames()).containsExactly("Caskwright");
            assertThat(type.getLabel()).isNotBlank();
            assertThat(type.getDescription()).isNotBlank();
            for (ValueDescriptor field : type.getFields()) {
                boolean isOfJfr = Set.of("startTime", "duration", "eventThread", "stackTrace")
                        .contains(field.getName());
                if (!isOfJfr) {
                    assertThat(field.getLabel()).as("%s", field.getName()).isNotBlank();
                    assertThat(field.getDescription()).as("%s", field.getName()).isNotBlank();
                }
                if (field.getName().endsWith("Bytes")) {
                    assertThat(field.getContentType()).isEqualTo("jdk.jfr.DataAmount");
                }
            }
        }
    }

    /** What a small runtime has may be no more than the base. */
    @Test
    void aRuntimeWithoutFlightRecorderWillDo() throws Exception {
        assertThat(runElsewhere("--limit-modules", "java.base")).endsWith("without\n");
    }

    /** To load a class of events takes longer than to open a small store. */
    @Test
    void noEventIsLoadedBeforeThereIsARecording() throws Exception {
        assertThat(runElsewhere("--add-modules", "jdk.jfr", "-Xlog:class+load:stdout"))
                .contains(StoreEvents.class.getName() + " ")
                .doesNotContain("jdk.jfr.Event ", "dev.caskwright.bitcask.events.OpenEvent ")
                .contains("\nfalse\n");
    }

    private String runElsewhere(String... flags) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC"));
        command.addAll(List.of(flags));
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                Elsewhere.class.getName(),
                directory.resolve("small").toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out;
    }

    /** Uses a store in a JVM of its own, and says whether its Flight Recorder was started. */
    static final class Elsewhere {
        private Elsewhere() {}

        public static void main(String[] arguments) throws Exception {
            StoreEventsTest test = new StoreEventsTest();
            test.directory = Path.of(arguments[0]);
            for (int i = 0; i < 2; i++) {
                test.useAllOperations();
                try (BitcaskEngine engine = test.builder().open()) {
                    for (int n = 0; n < 5; n++) {
                        engine.put(KEY, new byte[20_000], WriteOptions.SYNC);
                    }
                    engine.merge();
                }
            }
            boolean isThere = ModuleLayer.boot().findModule("jdk.jfr").isPresent();
            System.out.println(isThere ? FlightRecorder.isInitialized() : "without");
        }
    }
}
