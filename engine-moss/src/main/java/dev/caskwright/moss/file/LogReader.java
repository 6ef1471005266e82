package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.moss.memory.LittleEndian;
import java.io.IOException;
import java.util.List;

/*
 * A crash leaves the end of the log torn: the first place without a sound record is taken for the end. Damage in the
 * middle of what was durable looks the same. The difference is seen from witnesses: each record tells how far the store
 * was durable when it was written. So after the end the rest is searched, at every byte, for a head that is sound and
 * tells of a later durable version.
 */
/** Reads what log files have, in the order in which it was written. For one thread. */
public final class LogReader {
    private static final int CHUNK = 1 << 20;

    private final IoManager io;
    private final long storeId;

    /** Takes what is read. */
    public interface Visitor {
        /** Takes the body of a record, which is the visitor's own. */
        void record(byte[] body, long firstVersion, long lastVersion) throws IOException;
    }

    /** Makes a reader of a store's files. */
    public LogReader(IoManager io, long storeId) {
        this.io = io;
        this.storeId = storeId;
    }

    /**
     * Shows the records that follow a version without a gap.
     *
     * @param numbers the log files, ascending
     * @param version the last version that is known otherwise; records up to it are passed over
     * @return the last version that was shown, or the one given
     * @throws CorruptRecordException if the log ends before what was durable
     */
    public long read(List<Long> numbers, long version, Visitor visitor) throws IOException {
        long last = version;
        boolean hasEnded = false;
        long witness = 0;
        String where = "";
        long place = 0;
        for (long number : numbers) {
            try (ReadableFile file = io.open(FileNames.log(number))) {
                FileReader each = new FileReader(file, number);
                if (!each.hasHeader()) {
                    witness = Math.max(witness, each.searchWitness(0));
                    where = where.isEmpty() ? file.name() : where;
                    continue;
                }
                while (each.next()) {
                    witness = Math.max(witness, each.durable);
                    if (hasEnded || each.last <= last) {
                        continue;
                    }
                    if (each.first > last + 1) {
                        hasEnded = true;
                        where = where.isEmpty() ? file.name() : where;
                        continue;
                    }
                    visitor.record(each.body, each.first, each.last);
                    last = each.last;
                }
                if (each.offset < each.length) {
                    long found = each.searchWitness(each.offset);
                    if (where.isEmpty() && !hasEnded && found > last) {
                        where = file.name();
                        place = each.offset;
                    }
                    witness = Math.max(witness, found);
                }
            }
        }
        if (witness > last) {
            throw new CorruptRecordException(
                    "log ends before what was durable", where, place, "last=" + last + ", durable=" + witness);
        }
        return last;
    }

    /** One file, record by record. */
    private final class FileReader {
        private final ReadableFile file;
        private final long number;
        private final long length;
        private final byte[] head = new byte[LogFormat.HEAD_LENGTH];

        long offset = LogFormat.HEADER_LENGTH;
        long first;
        long last;
        long durable;
        byte[] body = new byte[0];

        FileReader(ReadableFile file, long number) throws IOException {
            this.file = file;
            this.number = number;
            this.length = file.length();
        }

        /** Returns whether the header is whole; a crash may have come before it was written. */
        boolean hasHeader() throws IOException {
            byte[] header = new byte[LogFormat.HEADER_LENGTH];
            if (file.read(0, header, 0, header.length) < header.length) {
                return false;
            }
            int checksum = Sealed.checksum(storeId, number, 0, header, 0, LogFormat.HEADER_CHECKSUM_OFFSET);
            if (checksum != LittleEndian.getInt(header, LogFormat.HEADER_CHECKSUM_OFFSET)) {
                long foundStore = LittleEndian.getLong(header, LogFormat.STORE_OFFSET);
                int own = Sealed.checksum(foundStore, number, 0, header, 0, LogFormat.HEADER_CHECKSUM_OFFSET);
                if (foundStore != storeId && own == LittleEndian.getInt(header, LogFormat.HEADER_CHECKSUM_OFFSET)) {
                    throw new UnsupportedFormatException("log is of another store: file=" + file.name()
                            + String.format(", expected=%016x, found=%016x", storeId, foundStore));
                }
                return false;
            }
            int version = LittleEndian.getInt(header, Long.BYTES);
            if (LittleEndian.getLong(header, 0) != LogFormat.MAGIC || version != LogFormat.VERSION) {
                throw new UnsupportedFormatException("log has another format: file=" + file.name() + ", version="
                        + version + ", known=" + LogFormat.VERSION);
            }
            return true;
        }

        boolean next() throws IOException {
            if (length - offset < LogFormat.HEAD_LENGTH) {
                return false;
            }
            Sealed.readFully(file, offset, head, LogFormat.HEAD_LENGTH);
            if (!isHead(head, 0, offset)) {
                return false;
            }
            int bodyLength = LittleEndian.getInt(head, LogFormat.BODY_LENGTH_OFFSET);
            if (bodyLength < 0 || bodyLength > length - offset - LogFormat.HEAD_LENGTH) {
                return false;
            }
            byte[] bytes = Sealed.read(file, offset + LogFormat.HEAD_LENGTH, bodyLength);
            if (Sealed.checksum(storeId, number, offset, bytes, 0, bodyLength)
                    != LittleEndian.getInt(head, LogFormat.BODY_CHECKSUM_OFFSET)) {
                return false;
            }
            body = bytes;
            first = LittleEndian.getLong(head, LogFormat.FIRST_OFFSET);
            last = LittleEndian.getLong(head, LogFormat.LAST_OFFSET);
            durable = LittleEndian.getLong(head, LogFormat.DURABLE_OFFSET);
            offset += LogFormat.HEAD_LENGTH + bodyLength;
            return true;
        }

        private boolean isHead(byte[] bytes, int from, long place) {
            return LittleEndian.getInt(bytes, from + LogFormat.ZERO_OFFSET) == 0
                    && LittleEndian.getLong(bytes, from + LogFormat.FIRST_OFFSET) > 0
                    && Sealed.checksum(
                                    storeId,
                                    number,
                                    place,
                                    bytes,
                                    from + Integer.BYTES,
                                    LogFormat.HEAD_LENGTH - Integer.BYTES)
                            == LittleEndian.getInt(bytes, from);
        }

        /** Returns the greatest durable version that a sound head from an offset on tells, or 0. */
        long searchWitness(long from) throws IOException {
            byte[] chunk = new byte[CHUNK];
            long found = 0;
            for (long at = from; length - at >= LogFormat.HEAD_LENGTH; ) {
                int count = file.read(at, chunk, 0, CHUNK);
                int places = count - LogFormat.HEAD_LENGTH + 1;
                for (int i = 0; i < places; i++) {
                    if (isHead(chunk, i, at + i)) {
                        found = Math.max(found, LittleEndian.getLong(chunk, i + LogFormat.DURABLE_OFFSET));
                    }
                }
                at += Math.max(1, places);
            }
            return found;
        }
    }
}
