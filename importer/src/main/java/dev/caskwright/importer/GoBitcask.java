package dev.caskwright.importer;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The layout that bitcask-go and the many stores written after it share: a directory of files {@code NNNNNNNNN.data}, in which each
 * record is a CRC-32 of what follows (little-endian), a byte for its type (0 put, 1 delete, 2 end of a transaction), the lengths of
 * key and value as signed variable-length integers of Go, and both. A key begins with the number of its transaction, an unsigned
 * variable-length integer, which is 0 outside of any; what belongs to a transaction counts once its end has been read. A header of
 * zeros ends a file. Records do not expire.
 */
final class GoBitcask implements ForeignFormat {
    private static final Pattern DATA_FILE = Pattern.compile("(\\d+)\\.data");
    private static final int SUM_AND_TYPE_BYTES = 5;
    private static final int MAX_VARINT_BYTES = 10;
    private static final int MOST_KEY_BYTES = 1 << 20;
    private static final int PUT = 0;
    private static final int DELETE = 1;
    private static final int END = 2;

    @Override
    public String name() {
        return "bitcask-go";
    }

    @Override
    public String description() {
        return "the directory of a store of bitcask-go, or of another in its layout";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        List<Path> files = LogFiles.of(source, DATA_FILE);
        Keydir keydir = new Keydir(files);
        Map<Long, List<Change>> open = new HashMap<>();
        for (int i = 0; i < files.size(); i++) {
            try (SourceFile file = SourceFile.open(files.get(i))) {
                read(file, i, keydir, open, receiver);
            }
        }
        if (!open.isEmpty()) {
            receiver.skipped("transactions without an end", open.size());
        }
        keydir.tell(receiver);
    }

    private static void read(
            SourceFile file, int number, Keydir keydir, Map<Long, List<Change>> open, Receiver receiver)
            throws IOException {
        while (file.left() > 0) {
            long start = file.position();
            CRC32 crc = new CRC32();
            int sum;
            int type;
            long keyLength;
            long valueLength;
            try {
                ByteBuffer fixed =
                        ByteBuffer.wrap(file.read(SUM_AND_TYPE_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
                sum = fixed.getInt();
                type = fixed.get();
                crc.update(type);
                keyLength = signed(varint(file, crc));
                valueLength = signed(varint(file, crc));
            } catch (EOFException e) {
                receiver.damage(file.path(), start, "the header of a record is cut short");
                return;
            }
            if (sum == 0 && type == PUT && keyLength == 0 && valueLength == 0) {
                return;
            }
            if (keyLength <= 0 || valueLength < 0 || keyLength > file.left() || valueLength > file.left() - keyLength) {
                receiver.damage(
                        file.path(),
                        start,
                        "a record is cut short, or its lengths are wrong: " + keyLength + " and " + valueLength
                                + " bytes of " + file.left());
                return;
            }
            boolean isKeyKept = keyLength <= MOST_KEY_BYTES;
            byte[] key = {};
            if (isKeyKept) {
                key = file.read(keyLength);
                crc.update(key);
            } else {
                file.sum(keyLength, crc);
            }
            long valueOffset = file.position();
            file.sum(valueLength, crc);
            if ((int) crc.getValue() != sum) {
                receiver.damage(file.path(), start, "a record has a wrong checksum");
                continue;
            }
            if (!isKeyKept) {
                receiver.damage(file.path(), start, "a key is longer than any that is read: " + keyLength + " bytes");
                continue;
            }
            Keydir.Place place = new Keydir.Place(number, valueOffset, valueLength, Receiver.NEVER);
            String complaint = apply(type, key, place, keydir, open);
            if (complaint != null) {
                receiver.damage(file.path(), start, complaint);
            }
        }
    }

    /** Returns what is wrong with a record of a right checksum, or null. */
    private static @Nullable String apply(
            int type, byte[] prefixedKey, Keydir.Place place, Keydir keydir, Map<Long, List<Change>> open) {
        if (type < PUT || type > END) {
            return "a record is of an unknown type: " + type;
        }
        int prefix = 0;
        while (prefix < prefixedKey.length && prefixedKey[prefix] < 0) {
            prefix++;
        }
        if (prefix >= Math.min(prefixedKey.length, MAX_VARINT_BYTES)) {
            return "a key does not begin with the number of a transaction";
        }
        long transaction = 0;
        for (int i = prefix; i >= 0; i--) {
            transaction = transaction << 7 | prefixedKey[i] & 0x7F;
        }
        byte[] key = Arrays.copyOfRange(prefixedKey, prefix + 1, prefixedKey.length);
        if (type == END) {
            List<Change> changes = open.remove(transaction);
            if (changes != null) {
                changes.forEach(change -> change.apply(keydir));
            }
            return null;
        }
        Change change = new Change(key, type == DELETE ? null : place);
        if (transaction == 0) {
            change.apply(keydir);
        } else {
            open.computeIfAbsent(transaction, unused -> new ArrayList<>()).add(change);
        }
        return null;
    }

    private static long varint(SourceFile file, CRC32 crc) throws IOException {
        long value = 0;
        for (int i = 0; i < MAX_VARINT_BYTES; i++) {
            int next = file.read();
            crc.update(next);
            value |= (next & 0x7FL) << 7 * i;
            if (next < 0x80) {
                return value;
            }
        }
        // Of no length that could be: it is told as one.
        return 1;
    }

    /** Undoes the folding of the sign into the lowest bit. */
    private static long signed(long folded) {
        return folded >>> 1 ^ -(folded & 1);
    }

    /** What a record changes. */
    private static final class Change {
        private final byte[] key;

        /** Where the new value lies; null if the key is deleted. */
        private final Keydir.@Nullable Place place;

        Change(byte[] key, Keydir.@Nullable Place place) {
            this.key = key;
            this.place = place;
        }

        void apply(Keydir keydir) {
            if (place == null) {
                keydir.remove(key);
            } else {
                keydir.put(key, place);
            }
        }
    }
}
