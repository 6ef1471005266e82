package dev.caskwright.mvcc;

import dev.caskwright.mvcc.MvccException.Reason;
import dev.caskwright.mvcc.backend.Bucket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes in a database file of etcd. What each bucket has:
 *
 * <pre>
 * key    revision                           mvccpb.KeyValue   8 bytes main, '_', 8 bytes sub, and 't' if the key was deleted
 * meta   scheduledCompactRev, finished...   revision          of the compaction that goes on, and the last that ended
 * lease  8 bytes number                     leasepb.Lease
 * alarm  etcdserverpb.AlarmMember           nothing
 * </pre>
 *
 * Numbers are big-endian. Other buckets are the server's own, and are left alone.
 */
final class Schema {
    static final Bucket KEY = new Bucket(0, "key", true);
    static final Bucket META = new Bucket(1, "meta", false);
    static final Bucket LEASE = new Bucket(2, "lease", false);
    static final Bucket ALARM = new Bucket(3, "alarm", false);
    static final List<Bucket> BUCKETS = List.of(KEY, META, LEASE, ALARM);

    static final byte[] SCHEDULED_COMPACTION = "scheduledCompactRev".getBytes(StandardCharsets.US_ASCII);
    static final byte[] FINISHED_COMPACTION = "finishedCompactRev".getBytes(StandardCharsets.US_ASCII);
    static final byte[] STORAGE_VERSION = "storageVersion".getBytes(StandardCharsets.US_ASCII);

    /** The greatest revision, sub-revision and version that is taken: those that follow must not overflow. */
    static final long MAX_NUMBER = Long.MAX_VALUE >>> 1;

    static final int REVISION_LENGTH = 17;
    private static final int SUB_OFFSET = 9;
    static final int TOMBSTONE_LENGTH = REVISION_LENGTH + 1;
    private static final byte TOMBSTONE = 't';
    private static final int NO_SPACE = 1;
    private static final int SHOWN_BYTES = 40;

    private Schema() {}

    // ---------------------------------------------------------------- revisions

    static byte[] revision(long main, long sub) {
        byte[] key = new byte[REVISION_LENGTH];
        write(key, main, sub);
        return key;
    }

    static byte[] tombstone(long main, long sub) {
        byte[] key = new byte[TOMBSTONE_LENGTH];
        write(key, main, sub);
        key[REVISION_LENGTH] = TOMBSTONE;
        return key;
    }

    private static void write(byte[] key, long main, long sub) {
        ByteBuffer.wrap(key).putLong(0, main).put(Long.BYTES, (byte) '_').putLong(SUB_OFFSET, sub);
    }

    static long main(byte[] key) {
        return read(key, 0);
    }

    static long sub(byte[] key) {
        return read(key, SUB_OFFSET);
    }

    private static long read(byte[] key, int from) {
        long value = 0;
        for (int i = from; i < from + Long.BYTES; i++) {
            value = value << Byte.SIZE | (key[i] & 0xFF);
        }
        return value;
    }

    static boolean isTombstone(byte[] key) {
        return key.length == TOMBSTONE_LENGTH;
    }

    /** Checks that a key of {@link #KEY} is a revision. */
    static void checkRevision(byte[] key) throws MvccException {
        boolean isSound =
                (key.length == REVISION_LENGTH || (key.length == TOMBSTONE_LENGTH && key[REVISION_LENGTH] == TOMBSTONE))
                        && key[Long.BYTES] == '_'
                        && main(key) > 0
                        && sub(key) >= 0;
        if (!isSound) {
            throw damage(KEY, key, "key is no revision");
        }
        if (main(key) > MAX_NUMBER || sub(key) > MAX_NUMBER) {
            throw damage(KEY, key, "revision is too great, the greatest that may be is " + MAX_NUMBER);
        }
    }

    // ---------------------------------------------------------------- keys and values

    static byte[] encode(KeyValue entry) {
        return Wire.writing(entry.key().length + entry.value().length + 48)
                .bytes(1, entry.key())
                .number(2, entry.createRevision())
                .number(3, entry.modRevision())
                .number(4, entry.version())
                .bytes(5, entry.value())
                .number(6, entry.lease())
                .written();
    }

    /** Returns what is stored at a revision, which is also that of a tombstone. */
    static KeyValue decode(byte[] revision, byte[] stored) throws MvccException {
        StoredRevision read = new StoredRevision();
        boolean isTombstone = isTombstone(revision);
        read.read(revision, isTombstone, stored, stored.length);
        return isTombstone
                ? new KeyValue(read.key(), 0, main(revision), 0, read.value(), 0)
                : new KeyValue(read.key(), read.create, read.mod, read.version, read.value(), read.lease);
    }

    // ---------------------------------------------------------------- leases and alarms

    /** A lease as it is stored; {@code remaining} is 0 if nobody noted how much of it was left. */
    record StoredLease(long id, long ttl, long remaining) {}

    static byte[] leaseKey(long id) {
        return ByteBuffer.allocate(Long.BYTES).putLong(id).array();
    }

    static byte[] encode(StoredLease lease) {
        return Wire.writing(32)
                .number(1, lease.id)
                .number(2, lease.ttl)
                .number(3, lease.remaining)
                .written();
    }

    static StoredLease decodeLease(byte[] key, byte[] stored) throws MvccException {
        long id = 0;
        long ttl = 0;
        long remaining = 0;
        try {
            Wire wire = Wire.reading(stored);
            while (wire.hasMore()) {
                int tag = wire.tag();
                switch (tag) {
                    case 1 << 3 -> id = wire.number();
                    case 2 << 3 -> ttl = wire.number();
                    case 3 << 3 -> remaining = wire.number();
                    default -> wire.skip(tag);
                }
            }
        } catch (Wire.MalformedException e) {
            throw damage(LEASE, key, e.getMessage() == null ? "value cannot be read" : e.getMessage());
        }
        if (key.length != Long.BYTES || id != read(key, 0) || id == 0) {
            throw damage(LEASE, key, "value is of another lease: id=" + id);
        }
        if (ttl <= 0 || remaining < 0) {
            throw damage(LEASE, key, "lease has no time to live: id=" + id + ", ttl=" + ttl + ", left=" + remaining);
        }
        return new StoredLease(id, ttl, remaining);
    }

    /** Returns the alarm that there is no space, of member 0, as this program raises it. */
    static byte[] spaceAlarm() {
        return Wire.writing(4).number(2, NO_SPACE).written();
    }

    static boolean isSpaceAlarm(byte[] key) throws MvccException {
        boolean isForSpace = false;
        try {
            Wire wire = Wire.reading(key);
            while (wire.hasMore()) {
                int tag = wire.tag();
                if (tag == Wire.numberField(2)) {
                    isForSpace = wire.number() == NO_SPACE;
                } else {
                    wire.skip(tag);
                }
            }
        } catch (Wire.MalformedException e) {
            throw damage(ALARM, key, e.getMessage() == null ? "key cannot be read" : e.getMessage());
        }
        return isForSpace;
    }

    // ---------------------------------------------------------------- errors

    /** Returns the error that tells of damage at a key of a bucket. */
    static MvccException damage(Bucket bucket, byte[] key, String rule) {
        String revision = bucket.equals(KEY) && (key.length == REVISION_LENGTH || key.length == TOMBSTONE_LENGTH)
                ? ", revision=" + main(key) + "." + sub(key)
                : "";
        return new MvccException(
                Reason.CORRUPT,
                rule + ": bucket=" + bucket + ", key=" + HexFormat.of().formatHex(key) + revision);
    }

    /** Returns a key for an error: printable, and not longer than a line. */
    static String show(byte @Nullable [] key) {
        if (key == null) {
            return "(none)";
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(key.length, SHOWN_BYTES); i++) {
            text.append(
                    key[i] > ' ' && key[i] < 0x7F ? String.valueOf((char) key[i]) : String.format("\\x%02x", key[i]));
        }
        return key.length > SHOWN_BYTES ? text + "… (" + key.length + " bytes)" : text.toString();
    }
}
