package dev.caskwright.importer;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * The Bitcask of Riak, versions 1 and 2: a directory of files {@code N.bitcask.data}, in which each record is a CRC-32 of what
 * follows, the seconds since 1970, the lengths of key and value, all big-endian, and both. The record in the file of the highest
 * number counts, and in a file the last one. A delete is a value that nobody else is supposed to write: {@code bitcask_tombstone},
 * and since version 2 with a digit and the number of the file that holds what it deletes; merges move such a tombstone into a later
 * file, where it must not delete what was put since. Hint files are not needed.
 */
final class RiakBitcask implements ForeignFormat {
    private static final Pattern DATA_FILE = Pattern.compile("(\\d+)\\.bitcask\\.data");
    private static final int HEADER_BYTES = 14;
    private static final byte[] TOMBSTONE = "bitcask_tombstone".getBytes(StandardCharsets.US_ASCII);
    private static final int NUMBERED_TOMBSTONE_BYTES = TOMBSTONE.length + 1 + Integer.BYTES;
    private static final long MILLIS_PER_SECOND = 1_000;

    @Override
    public String name() {
        return "riak-bitcask";
    }

    @Override
    public String description() {
        return "the directory of a Bitcask of Riak";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        List<Path> files = LogFiles.of(source, DATA_FILE);
        long[] numbers = files.stream()
                .map(file -> LogFiles.number(file, DATA_FILE))
                .mapToLong(
                        number -> number.min(BigInteger.valueOf(Long.MAX_VALUE)).longValue())
                .toArray();
        Keydir keydir = new Keydir(files);
        for (int i = 0; i < files.size(); i++) {
            try (SourceFile file = SourceFile.open(files.get(i))) {
                read(file, i, numbers, options, keydir, receiver);
            }
        }
        keydir.tell(receiver);
    }

    private static void read(
            SourceFile file, int number, long[] numbers, ReadOptions options, Keydir keydir, Receiver receiver)
            throws IOException {
        while (file.left() > 0) {
            long start = file.position();
            if (file.left() < HEADER_BYTES) {
                receiver.damage(file.path(), start, "the header of a record is cut short");
                return;
            }
            ByteBuffer header = ByteBuffer.wrap(file.read(HEADER_BYTES));
            int sum = header.getInt();
            long seconds = Integer.toUnsignedLong(header.getInt());
            int keyLength = Short.toUnsignedInt(header.getShort());
            long valueLength = Integer.toUnsignedLong(header.getInt());
            if (keyLength + valueLength > file.left()) {
                receiver.damage(
                        file.path(),
                        start,
                        "a record is cut short, or its lengths are wrong: " + keyLength + " and " + valueLength
                                + " bytes of " + file.left());
                return;
            }
            byte[] key = file.read(keyLength);
            long valueOffset = file.position();
            CRC32 crc = new CRC32();
            crc.update(header.array(), Integer.BYTES, HEADER_BYTES - Integer.BYTES);
            crc.update(key);
            byte[] value = {}; // kept only if it may be a tombstone
            if (valueLength <= NUMBERED_TOMBSTONE_BYTES) {
                value = file.read(valueLength);
                crc.update(value);
            } else {
                file.sum(valueLength, crc);
            }
            if ((int) crc.getValue() != sum) {
                receiver.damage(file.path(), start, "a record has a wrong checksum");
            } else if (isTombstone(value)) {
                delete(key, value, numbers, keydir);
            } else {
                keydir.put(key, new Keydir.Place(number, valueOffset, valueLength, expiry(seconds, options)));
            }
        }
    }

    private static boolean isTombstone(byte[] value) {
        return (value.length == TOMBSTONE.length || value.length == NUMBERED_TOMBSTONE_BYTES)
                && Arrays.equals(value, 0, TOMBSTONE.length, TOMBSTONE, 0, TOMBSTONE.length);
    }

    private static void delete(byte[] key, byte[] tombstone, long[] numbers, Keydir keydir) {
        Keydir.Place place = keydir.get(key);
        if (place == null) {
            return;
        }
        boolean numbered = tombstone.length == NUMBERED_TOMBSTONE_BYTES;
        if (!numbered
                || numbers[place.file()]
                        <= Integer.toUnsignedLong(ByteBuffer.wrap(tombstone).getInt(TOMBSTONE.length + 1))) {
            keydir.remove(key);
        }
    }

    private static long expiry(long seconds, ReadOptions options) {
        if (options.expireAfterSeconds() == 0) {
            return Receiver.NEVER;
        }
        long last = Receiver.NEVER / MILLIS_PER_SECOND - seconds;
        return options.expireAfterSeconds() >= last
                ? Receiver.NEVER
                : (seconds + options.expireAfterSeconds()) * MILLIS_PER_SECOND;
    }
}
