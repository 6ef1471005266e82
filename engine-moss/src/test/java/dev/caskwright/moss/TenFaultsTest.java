package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ten faults that were found in another store of this kind, one test each. */
final class TenFaultsTest {
    private static final Path SIMULATED = Path.of("/simulated/moss");

    @TempDir
    private Path temporary;

    private static MossBuilder simulated(CrashableIoManager disk) {
        return MossEngine.builder(SIMULATED)
                .io(disk.factory())
                .mergeOperator(new Append())
                .withoutThreads();
    }

    private MossBuilder real() {
        return MossEngine.builder(temporary.resolve("store")).mergeOperator(new Append());
    }

    /** Puts what was written into each of the places where it can lie: top, mid, clean and files. */
    private static void sink(MossEngine engine, int place) throws IOException {
        Store store = engine.store();
        store.lock.lock();
        try {
            store.seal();
        } finally {
            store.lock.unlock();
        }
        if (place >= 1) {
            store.lock.lock();
            try {
                store.merger.wantAll();
            } finally {
                store.lock.unlock();
            }
            store.merger.step();
        }
        if (place >= 2) {
            engine.flush();
        }
    }

    @Test
    void aDeletedKeysOldValueDoesNotShowWhileItLiesInALowerSection() throws IOException {
        for (int low = 0; low < 3; low++) {
            for (int high = 0; high <= low; high++) {
                try (MossEngine engine = simulated(new CrashableIoManager()).open()) {
                    engine.put(bytes("a"), bytes("old"));
                    sink(engine, low);
                    engine.remove(bytes("a"), WriteOptions.NONE);
                    assertThat(engine.get(bytes("a"))).as("%s, %s", low, high).isNull();
                    sink(engine, high);
                    assertThat(engine.get(bytes("a")))
                            .as("%s, %s, sunk", low, high)
                            .isNull();
                    try (MossSnapshot snapshot = engine.snapshot()) {
                        assertThat(snapshot.get(bytes("a"))).isNull();
                    }
                }
            }
        }
    }

    @Test
    void aMergedKeysBaseCountsWhileItLiesInALowerSection() throws IOException {
        for (int low = 0; low < 3; low++) {
            for (int high = 0; high <= low; high++) {
                try (MossEngine engine = simulated(new CrashableIoManager()).open()) {
                    engine.put(bytes("a"), bytes("base"));
                    sink(engine, low);
                    engine.merge(bytes("a"), bytes("+1"), WriteOptions.NONE);
                    assertThat(text(engine.get(bytes("a")))).isEqualTo("base+1");
                    sink(engine, high);
                    engine.merge(bytes("a"), bytes("+2"), WriteOptions.NONE);
                    assertThat(text(engine.get(bytes("a")))).isEqualTo("base+1+2");
                    try (MossSnapshot snapshot = engine.snapshot()) {
                        assertThat(text(snapshot.get(bytes("a")))).isEqualTo("base+1+2");
                    }
                }
            }
        }
    }

    @Test
    void aCloseRightAfterAWriteKeepsIt() throws IOException {
        try (MossEngine engine = real().open()) {
            engine.put(bytes("a"), bytes("1"), WriteOptions.NONE);
        }
        try (MossEngine engine = real().open()) {
            assertThat(text(engine.get(bytes("a")))).isEqualTo("1");
        }
    }

    @Test
    void aWriteThatFailsDuringACompactionLosesNothingAndIsTold() throws IOException {
        for (int n = 0; ; n++) {
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            FaultPlan plan = FaultPlan.failing(n).only(IoOperation.WRITE, IoOperation.FORCE, IoOperation.CREATE);
            fillFourFiles(disk);
            Throwable told = null;
            try (MossEngine engine = MossEngine.builder(SIMULATED)
                    .io(plan.wrap(disk.factory()))
                    .withoutThreads()
                    .open()) {
                try {
                    engine.compact();
                } catch (IOException e) {
                    told = e;
                }
                assertThat(Model.content(engine, Range.all())).as("call %s", n).hasSize(2_000);
            }
            assertThat(told != null).as("call %s is told", n).isEqualTo(plan.hasFired());
            try (MossEngine engine = simulated(disk).open()) {
                assertThat(Model.content(engine, Range.all()))
                        .as("call %s, reopened", n)
                        .hasSize(2_000);
            }
            if (!plan.hasFired()) {
                return;
            }
        }
    }

    private static void fillFourFiles(CrashableIoManager disk) throws IOException {
        try (MossEngine engine = simulated(disk).open()) {
            for (int i = 0; i < 2_000; i++) {
                engine.put(bytes("key" + i), bytes("value" + i), WriteOptions.NONE);
                if (i % 500 == 499) {
                    engine.flush();
                }
            }
        }
    }

    @Test
    void anEmptyFileBesideAGoodOneDoesNotKeepTheStoreFromOpening() throws IOException {
        try (MossEngine engine = real().open()) {
            engine.put(bytes("a"), bytes("1"));
        }
        Files.createFile(temporary.resolve("store").resolve("sorted-00000000000000ff.moss"));
        Files.createFile(temporary.resolve("store").resolve("log-00000000000000ff.moss"));
        Files.createFile(temporary.resolve("store").resolve("manifest.new"));
        try (MossEngine engine = real().open()) {
            assertThat(text(engine.get(bytes("a")))).isEqualTo("1");
        }
    }

    @Test
    void aFlippedByteOfAValueIsAnErrorAndNoValue() throws IOException {
        try (MossEngine engine = real().open()) {
            engine.put(bytes("a"), bytes("a value to be found again"));
        }
        Path file = files("sorted-").get(0);
        byte[] content = Files.readAllBytes(file);
        content[new String(content, ISO_8859_1).indexOf("found")] ^= 1;
        Files.write(file, content);
        try (MossEngine engine = real().open()) {
            assertThatThrownBy(() -> engine.get(bytes("a")))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining(file.getFileName().toString());
            assertThat(engine.verify().damages()).hasSize(1);
        }
    }

    private List<Path> files(String prefix) throws IOException {
        try (Stream<Path> all = Files.list(temporary.resolve("store"))) {
            return all.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aReadOnlyOpenDeletesAndChangesNothing() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        MossEngine writer = simulated(disk).open();
        writer.put(bytes("a"), bytes("1"));
        CrashableIoManager image = disk.kill();
        image.create("sorted-00000000000000ff.moss", 0).close();
        long before = image.operations();
        List<String> names = new ArrayList<>(image.list());
        try (MossEngine reader = simulated(image).readOnly().open()) {
            assertThat(text(reader.get(bytes("a")))).isEqualTo("1");
            assertThatThrownBy(() -> reader.put(bytes("b"), bytes("2"))).hasMessageContaining("read-only");
        }
        assertThat(image.operations()).isEqualTo(before);
        assertThat(image.list()).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void aSecondOpenOfADirectoryIsRefused() throws IOException {
        try (MossEngine engine = real().open()) {
            engine.put(bytes("a"), bytes("1"));
            assertThatThrownBy(() -> real().open()).isInstanceOf(EngineLockedException.class);
        }
        real().open().close();
    }

    @Test
    void aKeyThatComesTwiceInABatchHasItsLastValueOnce() throws IOException {
        for (int place = -1; place < 3; place++) {
            try (MossEngine engine = simulated(new CrashableIoManager()).open()) {
                MossBatch batch = new MossBatch();
                for (int i = 0; i < 100; i++) {
                    batch.put(bytes("key" + i % 10), bytes("" + i));
                }
                engine.write(batch, WriteOptions.NONE);
                if (place >= 0) {
                    sink(engine, place);
                }
                List<String> seen = new ArrayList<>();
                try (MossIterator iterator = engine.iterator()) {
                    while (iterator.next()) {
                        seen.add(text(iterator.key()) + "=" + text(iterator.value()));
                    }
                }
                assertThat(seen)
                        .containsExactly(
                                "key0=90", "key1=91", "key2=92", "key3=93", "key4=94", "key5=95", "key6=96", "key7=97",
                                "key8=98", "key9=99");
            }
        }
    }

    @Test
    void aLimitThatIsNotSetDoesNotCountAsZero() throws IOException {
        try (MossEngine engine =
                simulated(new CrashableIoManager()).maxMemoryBytes(8 << 20).open()) {
            for (int i = 0; i < 1_000; i++) {
                engine.put(bytes("key" + i), bytes("1"), WriteOptions.NONE);
            }
            assertThat(figures(engine).slowedWrites()).isZero();
        }
        try (MossEngine engine =
                simulated(new CrashableIoManager()).persistBytes(1 << 20).open()) {
            for (int i = 0; i < 1_000; i++) {
                engine.put(bytes("key" + i), bytes("1"), WriteOptions.NONE);
            }
            assertThat(figures(engine).slowedWrites() + figures(engine).stoppedWrites())
                    .isZero();
        }
    }

    private static MossStats figures(MossEngine engine) {
        return engine.stats().group(MossStats.class).orElseThrow();
    }
}
