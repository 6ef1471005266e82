package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A snapshot's cursor reads a bounded part ahead, and a snapshot that closes meanwhile shows no other moment. */
final class SnapshotBoundsTest {
    private static final int MANY = 20_000;

    private final CrashableIoManager disk = new CrashableIoManager().logging(false);
    private final AtomicInteger reads = new AtomicInteger();
    private final AtomicLong readBytes = new AtomicLong();

    /** Counts what is read from files that are written to: here, all. */
    private final class CountingIo extends ForwardingIoManager {
        CountingIo(IoManager io) {
            super(io);
        }

        @Override
        public WritableFile openWritable(String name) throws IOException {
            return new Counting(super.openWritable(name));
        }

        @Override
        public WritableFile create(String name, long expectedLength) throws IOException {
            return new Counting(super.create(name, expectedLength));
        }
    }

    private final class Counting extends ForwardingWritableFile {
        Counting(WritableFile file) {
            super(file);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            int read = super.read(offset, target, targetOffset, length);
            reads.incrementAndGet();
            readBytes.addAndGet(Math.max(0, read));
            return read;
        }
    }

    private BitcaskEngine open() throws IOException {
        return CrashFixture.builder(
                        (directory, create) -> new CountingIo(disk.factory(HOME).open(directory, create)),
                        new ManualClock())
                .maxFileBytes(1 << 30)
                .index(context -> new SmallOrderedIndex())
                .open();
    }

    private static OrderedView ordered(Snapshot snapshot) {
        return snapshot.ordered();
    }

    private static List<Entry> take(Snapshot snapshot, Range range) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (Cursor cursor = ordered(snapshot).range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                entries.add(entry);
            }
        }
        return entries;
    }

    /** However many keys have gone since, or come, a short range reads few records, from either end. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aShortRangeReadsLittleBesideManyChanges(boolean descending) throws IOException {
        try (BitcaskEngine engine = open()) {
            for (int i = 0; i < MANY; i++) {
                engine.put(KeyValues.key(i), new byte[10]);
            }
            try (Snapshot snapshot = engine.snapshot()) {
                for (int i = 0; i < MANY; i++) {
                    engine.delete(KeyValues.key(i));
                }
                reads.set(0);
                List<Entry> ten =
                        take(snapshot, Range.all().descending(descending).limit(10));
                assertThat(ten).hasSize(10);
                assertThat(ten.get(0).key()).isEqualTo(KeyValues.key(descending ? 9_999 : 0));
                assertThat(reads.get()).as("reads").isLessThan(200);
                assertThat(take(snapshot, Range.all().descending(descending))).hasSize(MANY);
            }
        }
    }

    /** One call of next() fetches no more than a piece of long values. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void longValuesAreReadAPieceAtATime(boolean areDeleted) throws IOException {
        int count = 100;
        int length = 200_000;
        try (BitcaskEngine engine = open()) {
            for (int i = 0; i < count; i++) {
                engine.put(KeyValues.key(i), new byte[length]);
            }
            try (Snapshot snapshot = engine.snapshot()) {
                for (int i = 0; areDeleted && i < count; i++) {
                    engine.delete(KeyValues.key(i));
                }
                int found = 0;
                try (Cursor cursor = ordered(snapshot).range(Range.all())) {
                    while (true) {
                        readBytes.set(0);
                        Entry entry = cursor.next();
                        assertThat(readBytes.get())
                                .as("bytes read for one entry")
                                .isLessThan(3L * length);
                        if (entry == null) {
                            break;
                        }
                        assertThat(entry.key()).isEqualTo(KeyValues.key(found));
                        found++;
                    }
                }
                assertThat(found).isEqualTo(count);
            }
        }
    }

    /** An index that runs something once, in the middle of the next lookup or scan. */
    private static final class Hooked extends SmallOrderedIndex {
        private ThrowingCallable hook = () -> {};

        private void run() {
            ThrowingCallable once = hook;
            hook = () -> {};
            try {
                once.call();
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public long get(byte[] key, int offset, int length) {
            run();
            return super.get(key, offset, length);
        }

        @Override
        public void scan(byte[] from, boolean inclusive, boolean descending, Visitor visitor) throws IOException {
            run();
            super.scan(from, inclusive, descending, visitor);
        }

        @Override
        public void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] locators)
                throws IOException {
            run();
            super.candidates(source, offsets, lengths, count, locators);
        }
    }

    /** What changed after the snapshot was closed is not seen through it, nor does anything go missing without a word. */
    @Test
    void aReadBesideItsOwnCloseShowsNoOtherMoment() throws IOException {
        Hooked index = new Hooked();
        try (BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), new ManualClock())
                .index(context -> index)
                .open()) {
            byte[] key = KeyValues.key(1);
            List<SnapshotRead> ways = List.of(
                    snapshot -> snapshot.get(key),
                    snapshot -> snapshot.get(key, ByteBuffer.allocate(10)),
                    snapshot -> snapshot.contains(KeyValues.key(2)),
                    snapshot -> snapshot.entry(key),
                    snapshot -> ordered(snapshot).range(Range.all()).next(),
                    snapshot -> snapshot.visit(entry -> true));
            for (int way = 0; way < ways.size(); way++) {
                engine.put(key, new byte[] {1});
                engine.delete(KeyValues.key(2));
                Snapshot snapshot = engine.snapshot();
                index.hook = () -> {
                    snapshot.close();
                    engine.put(key, new byte[] {2});
                    engine.put(KeyValues.key(2), new byte[] {2});
                };
                SnapshotRead read = ways.get(way);
                assertThatThrownBy(() -> read.from(snapshot))
                        .as("way=%s", way)
                        .isInstanceOf(EngineClosedException.class);
                assertThat(engine.get(key)).as("the hook has run").containsExactly(2);
            }
        }
    }

    /** One way to read a snapshot. */
    @FunctionalInterface
    private interface SnapshotRead {
        void from(Snapshot snapshot) throws IOException;
    }
}
