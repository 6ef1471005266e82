package dev.caskwright.bitcask.replay;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.log.RecordLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The entries of the log after an image, kept by the parts of the index that they belong to, and put when the index loads
 * the part. Opening a store then takes as long as reading the entries, not as long as changing the index.
 *
 * <p>Memory: {@value Entries#HEADER} bytes and the key for each entry. Given back part by part.
 */
final class ReplayLater implements PersistentKeyIndex.Completion {
    /** The entries of one thread and one step of the replay for one part, in chunks, which are never copied. */
    private static final class Entries {
        static final int HEADER = Long.BYTES + Integer.BYTES;
        private static final int FIRST_CHUNK = 512;
        private static final int LARGEST_CHUNK = 8 << 10;
        private static final int TOMBSTONE = 1 << 31;

        private final List<ByteBuffer> chunks = new ArrayList<>();
        private ByteBuffer last = ByteBuffer.allocate(0);
        private int count;

        /** Returns by how many bytes the memory grew. */
        int add(boolean tombstone, long locator, byte[] source, int offset, int length) {
            int grown = 0;
            if (last.remaining() < HEADER + length) {
                int usual = Math.min(LARGEST_CHUNK, FIRST_CHUNK << Math.min(chunks.size(), Byte.SIZE));
                grown = Math.max(usual, HEADER + length);
                last = ByteBuffer.allocate(grown);
                chunks.add(last);
            }
            last.putLong(locator)
                    .putInt(tombstone ? length | TOMBSTONE : length)
                    .put(source, offset, length);
            count++;
            return grown;
        }

        void addTo(ReplayBatch batch) throws IOException {
            for (ByteBuffer chunk : chunks) {
                ByteBuffer reader = chunk.duplicate().flip();
                while (reader.hasRemaining()) {
                    long locator = reader.getLong();
                    int length = reader.getInt();
                    int offset = reader.position();
                    reader.position(offset + (length & ~TOMBSTONE));
                    batch.add(length < 0, locator, chunk.array(), chunk.arrayOffset() + offset, length & ~TOMBSTONE);
                }
            }
        }
    }

    /** Takes the entries that one thread reads. */
    final class Collector {
        private final @Nullable Entries[] unsettled = new Entries[parts];
        private final @Nullable Entries[] later = new Entries[parts];
        private long entries;

        private Collector() {}

        void add(boolean isUnsettled, boolean tombstone, long locator, byte[] source, int offset, int length) {
            int part = index.partOf(source, offset, length);
            @Nullable Entries[] all = isUnsettled ? unsettled : later;
            Entries ofPart = all[part];
            if (ofPart == null) {
                ofPart = new Entries();
                all[part] = ofPart;
            }
            int grown = ofPart.add(tombstone, locator, source, offset, length);
            if (grown > 0) {
                bytes.addAndGet(grown);
            }
            entries++;
        }
    }

    /** What is to be counted when all of a part is put. */
    private static final class Counts implements ReplayBatch.Counter {
        private long[] live;
        private int lives;
        private long[] dead;
        private int deaths;

        Counts(int entries) {
            live = new long[entries];
            dead = new long[2 * entries]; // each may take the place of one, and be a tombstone
        }

        @Override
        public void live(long locator) {
            live[lives++] = locator;
        }

        @Override
        public void dead(long locator) {
            dead[deaths++] = locator;
        }

        void markIn(RecordLog log) {
            for (int i = 0; i < lives; i++) {
                log.markLive(live[i]);
            }
            for (int i = 0; i < deaths; i++) {
                log.markDead(dead[i]);
            }
        }
    }

    private final RecordLog log;
    private final PersistentKeyIndex index;
    private final int parts;
    private final long mostBytes;
    private final AtomicLong bytes = new AtomicLong();
    private final List<Collector> collectors = new ArrayList<>();

    /** Keeps entries for the parts that an index has left, of hardly more bytes than {@code mostBytes}. */
    ReplayLater(RecordLog log, PersistentKeyIndex index, long mostBytes) {
        this.log = log;
        this.index = index;
        this.parts = index.partsLeft();
        this.mostBytes = mostBytes;
    }

    /** Makes a collector for one thread. All are made before the first is used. */
    Collector collector() {
        Collector collector = new Collector();
        collectors.add(collector);
        return collector;
    }

    /** Returns whether there are more entries than should be kept. */
    boolean isTooMuch() {
        return bytes.get() > mostBytes;
    }

    /** Returns how many entries were collected. */
    long entries() {
        long entries = 0;
        for (Collector collector : collectors) {
            entries += collector.entries;
        }
        return entries;
    }

    @Override
    public void complete(int part, KeyIndex loaded) throws IOException {
        // As in Replay: first what the image may have or not, which is counted already, and then the rest.
        put(part, true, new ReplayBatch(log, loaded, ReplayBatch.Counter.NONE));
        int count = 0;
        for (Collector collector : collectors) {
            Entries entries = collector.later[part];
            count += entries == null ? 0 : entries.count;
        }
        Counts counts = new Counts(count);
        put(part, false, new ReplayBatch(log, loaded, counts));
        // Nothing can fail from here on: what is counted is not put again.
        counts.markIn(log);
        for (Collector collector : collectors) {
            collector.unsettled[part] = null;
            collector.later[part] = null;
        }
    }

    private void put(int part, boolean isUnsettled, ReplayBatch batch) throws IOException {
        for (Collector collector : collectors) {
            Entries entries = (isUnsettled ? collector.unsettled : collector.later)[part];
            if (entries != null) {
                entries.addTo(batch);
            }
        }
        batch.flush();
        batch.removeTombstones();
    }
}
