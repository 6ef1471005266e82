package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * What the machine can do at all with records of {@link #RECORD_SIZE} bytes, the size of one of ours with a key of 16 and
 * a value of 100 bytes: no index, no checksum, no promise but that of the call.
 */
public enum RawLimit {
    /** One write call of a {@link FileChannel} per record. */
    APPEND("bare write call per record"),
    /** A copy of each record into a mapped file. */
    MAPPED_APPEND("bare mapped append"),
    /** One positional read of a {@link FileChannel} into a direct buffer per record, from the file that {@link #APPEND} writes. */
    READ("bare positional read"),
    /** A copy of each record out of a mapped file. */
    MAPPED_READ("bare mapped read"),
    /** A look into a table for where the record is, then {@link #READ}: no index can take less than waiting for a slot. */
    LOOKUP_READ("lookup + positional read"),
    /** A look into a table for where the record is, then {@link #MAPPED_READ}. */
    LOOKUP_MAPPED_READ("lookup + mapped read"),
    /** One write call and one force per record. */
    APPEND_FORCE("bare append + force"),
    /** One write call per record and one force per 64 records. */
    APPEND_FORCE_64("bare append, 64 a force"),
    /**
     * Nothing: its latency is the noise of the machine and of the measuring. Beside a merge that of a store, here beside a
     * {@link BackgroundWriter}.
     */
    NO_OPERATION("no operation (the machine's noise)");

    /** Bytes of a record. */
    public static final int RECORD_SIZE = 144;

    /** Records of a group that is forced at once. */
    static final int GROUP = 64;

    private static final int MAPPED_PIECE = 4096;
    private static final int SLOT_WORDS = 2;
    private static final int HASH = 0x9E3779B1;

    private final String label;

    RawLimit(String label) {
        this.label = label;
    }

    /** Returns the name for files. */
    public String id() {
        return "raw-" + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the name for people. */
    public String label() {
        return label;
    }

    /** Returns whether each record, or each group, is forced. */
    public boolean isSync() {
        return this == APPEND_FORCE || this == APPEND_FORCE_64;
    }

    /** Returns whether it reads; if not, it appends. */
    public boolean isRead() {
        return this == READ || this == MAPPED_READ || looksUp();
    }

    private boolean looksUp() {
        return this == LOOKUP_READ || this == LOOKUP_MAPPED_READ;
    }

    private boolean isMapped() {
        return this == MAPPED_READ || this == LOOKUP_MAPPED_READ || this == MAPPED_APPEND;
    }

    /** Returns the figure of stores that it bounds: a group of 64 is what 64 waiting writers can share. */
    Metric metric() {
        return switch (this) {
            case APPEND, MAPPED_APPEND -> Metric.FILL;
            case READ, MAPPED_READ, LOOKUP_READ, LOOKUP_MAPPED_READ -> Metric.GET;
            case APPEND_FORCE -> Metric.SYNC_1;
            case APPEND_FORCE_64 -> Metric.SYNC_64;
            case NO_OPERATION -> Metric.LATENCY_GET;
        };
    }

    /** Opens what the operation works on. For a read, the file is first filled with {@code records} records. */
    Operation open(Path file, int records) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (isMapped()) {
            // Written, not merely extended: a mapped append must find real blocks, as ours does.
            fill(channel, records, MAPPED_PIECE);
        } else if (isRead()) {
            // One call a record, as a log is written: the page cache keeps a file in pieces as long as the writes that
            // made it, and finds longer ones faster.
            fill(channel, records, 1);
        }
        return new Operation(this, channel, records);
    }

    private static void fill(FileChannel channel, int records, int perCall) throws IOException {
        ByteBuffer piece = ByteBuffer.allocateDirect(RECORD_SIZE * perCall);
        for (int written = 0; written < records; written += perCall) {
            channel.write(piece.clear(), (long) written * RECORD_SIZE);
        }
    }

    /** One limit at work, on one file, for one thread. */
    static final class Operation implements AutoCloseable {
        private final RawLimit limit;
        private final FileChannel channel;
        private final int records;
        private final byte[] record = new byte[RECORD_SIZE];
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(RECORD_SIZE);
        private final MappedByteBuffer mapped;
        private final long[] table;
        private long appended;

        private Operation(RawLimit limit, FileChannel channel, int records) throws IOException {
            this.limit = limit;
            this.channel = channel;
            this.records = records;
            this.mapped =
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, limit.isMapped() ? (long) records * RECORD_SIZE : 1);
            this.table = limit.looksUp() ? table(records) : new long[0];
        }

        /** Slots of 16 bytes, five eighths of them in use, as tables that grow by half are on average. */
        private static long[] table(int records) {
            int slots = (int) (records * 8L / 5);
            long[] table = new long[SLOT_WORDS * slots];
            for (int slot = 0; slot < slots; slot++) {
                table[SLOT_WORDS * slot] = Distribution.scatter(slot % records, records);
            }
            return table;
        }

        boolean isSync() {
            return limit.isSync();
        }

        private int lookUp(int number) {
            int slots = table.length / SLOT_WORDS;
            int home = (int) (Integer.toUnsignedLong(number * HASH) * slots >>> Integer.SIZE);
            return (int) table[SLOT_WORDS * home];
        }

        /** Does it once, for the record of that number, and returns something that depends on the bytes. */
        long run(int number) throws IOException {
            switch (limit) {
                case NO_OPERATION -> {}
                case READ -> read(number);
                case LOOKUP_READ -> read(lookUp(number));
                case MAPPED_READ -> mapped.get(number * RECORD_SIZE, record);
                case LOOKUP_MAPPED_READ -> mapped.get(lookUp(number) * RECORD_SIZE, record);
                case MAPPED_APPEND -> mapped.put((int) (appended++ % records) * RECORD_SIZE, record);
                default -> append();
            }
            return record[number & 127];
        }

        private void read(int number) throws IOException {
            channel.read(buffer.clear(), (long) number * RECORD_SIZE);
            buffer.flip().get(record, 0, RECORD_SIZE);
        }

        private void append() throws IOException {
            buffer.clear().put(record).flip();
            channel.write(buffer, appended * RECORD_SIZE);
            appended++;
            if (limit == APPEND_FORCE || (limit == APPEND_FORCE_64 && appended % GROUP == 0)) {
                channel.force(false);
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
