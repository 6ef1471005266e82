package dev.caskwright.importer;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A dump of Redis or Valkey, an RDB file of version 1 to 12: the strings of one database, with their expiry. Lists, sets, sorted
 * sets, hashes and streams are counted and left out, as are other databases. The checksum of the whole file, which it has since
 * version 5 unless that is switched off, is checked before anything is told: a dump that is damaged is not read in part, since
 * nothing in it says where the damage is.
 */
final class RedisDump implements ForeignFormat {
    private static final byte[] MAGIC = "REDIS".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION_DIGITS = 4;
    private static final int NEWEST_VERSION = 12;
    private static final int FIRST_VERSION_WITH_SUM = 5;
    private static final int SUM_BYTES = Long.BYTES;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final long MILLIS_PER_SECOND = 1_000;

    @Override
    public String name() {
        return "redis-rdb";
    }

    @Override
    public String description() {
        return "a dump of Redis or Valkey (an RDB file), its strings";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        try (SourceFile file = SourceFile.open(source)) {
            int version = version(file);
            if (version >= FIRST_VERSION_WITH_SUM) {
                checkSum(source);
            }
            new Reading(file, options, receiver).read();
        } catch (EOFException e) {
            throw new IOException("the dump is cut short: " + source, e);
        }
    }

    private static int version(SourceFile file) throws IOException {
        if (file.left() < MAGIC.length + VERSION_DIGITS) {
            throw new IOException("no dump of Redis, as it does not begin with REDIS and a version: " + file.path());
        }
        String start = new String(file.read(MAGIC.length + VERSION_DIGITS), StandardCharsets.ISO_8859_1);
        if (!start.matches("REDIS\\d{4}")) {
            throw new IOException("no dump of Redis, as it does not begin with REDIS and a version: " + file.path());
        }
        int version = Integer.parseInt(start.substring(MAGIC.length));
        if (version < 1 || version > NEWEST_VERSION) {
            throw new IOException("a dump of version " + version + "; those of 1 to " + NEWEST_VERSION
                    + " can be read: " + file.path());
        }
        return version;
    }

    private static void checkSum(Path source) throws IOException {
        long size = Files.size(source) - SUM_BYTES;
        Crc64 crc = new Crc64();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(source)) {
            for (long left = size; left > 0; ) {
                int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (read < 0) {
                    throw new EOFException("the file became shorter while it was read: " + source);
                }
                crc.update(buffer, read);
                left -= read;
            }
            byte[] sum = in.readNBytes(SUM_BYTES);
            if (sum.length < SUM_BYTES) {
                throw new EOFException("cut short before its checksum");
            }
            long expected = ByteBuffer.wrap(sum).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (expected != 0 && expected != crc.value()) {
                throw new IOException("the dump is damaged: checksum expected=" + Long.toHexString(expected)
                        + ", found=" + Long.toHexString(crc.value()) + ", file=" + source);
            }
        }
    }

    /** One pass over a dump. */
    private static final class Reading {
        private static final int SLOT = 0xF4;
        private static final int FUNCTION = 0xF5;
        private static final int MODULE_AUXILIARY = 0xF7;
        private static final int IDLE_TIME = 0xF8;
        private static final int FREQUENCY = 0xF9;
        private static final int AUXILIARY = 0xFA;
        private static final int SIZES = 0xFB;
        private static final int EXPIRY_MILLIS = 0xFC;
        private static final int EXPIRY_SECONDS = 0xFD;
        private static final int DATABASE = 0xFE;
        private static final int END = 0xFF;
        private static final int LZF_LONGEST_RATIO = 300;
        private static final int STREAM_ID_BYTES = 16;

        private final SourceFile file;
        private final ReadOptions options;
        private final Receiver receiver;
        private final Map<String, Long> skipped = new TreeMap<>();

        Reading(SourceFile file, ReadOptions options, Receiver receiver) {
            this.file = file;
            this.options = options;
            this.receiver = receiver;
        }

        void read() throws IOException {
            long database = 0;
            long expiry = Receiver.NEVER;
            while (true) {
                int code = file.read();
                switch (code) {
                    case END -> {
                        for (Map.Entry<String, Long> kind : skipped.entrySet()) {
                            receiver.skipped(kind.getKey(), kind.getValue());
                        }
                        return;
                    }
                    case DATABASE -> database = length();
                    case SIZES -> {
                        length();
                        length();
                    }
                    case SLOT -> skipLengths(3); // its number, and how many keys it has, with and without expiry
                    case AUXILIARY -> {
                        skipString();
                        skipString();
                    }
                    case FUNCTION -> {
                        skipString();
                        count("functions");
                    }
                    case IDLE_TIME -> length();
                    case FREQUENCY -> file.skip(1);
                    case EXPIRY_SECONDS ->
                        expiry = Integer.toUnsignedLong(
                                        littleEndian(Integer.BYTES).getInt())
                                * MILLIS_PER_SECOND;
                    case EXPIRY_MILLIS -> expiry = littleEndian(Long.BYTES).getLong();
                    case MODULE_AUXILIARY -> throw unreadable("data of a module");
                    default -> {
                        entry(code, database, expiry);
                        expiry = Receiver.NEVER;
                    }
                }
            }
        }

        private void entry(int type, long database, long expiry) throws IOException {
            byte[] key = string();
            if (type != 0) {
                count(skipValue(type));
            } else if (database != options.database()) {
                skipString();
                count("strings of other databases");
            } else {
                receiver.entry(key, string(), expiry);
            }
        }

        private void count(String kind) {
            skipped.merge(kind, 1L, Long::sum);
        }

        /** Reads over a value that is no string, and returns what it is. */
        private String skipValue(int type) throws IOException {
            switch (type) {
                case 1, 14 -> {
                    skipStrings(length());
                    return "lists";
                }
                case 2 -> {
                    skipStrings(length());
                    return "sets";
                }
                case 3 -> {
                    for (long left = length(); left > 0; left--) {
                        skipString();
                        int digits = file.read();
                        // 253 to 255 are not a number and the infinities.
                        file.skip(digits < 253 ? digits : 0);
                    }
                    return "sorted sets";
                }
                case 4 -> {
                    skipPairs(length());
                    return "hashes";
                }
                case 5 -> {
                    for (long left = length(); left > 0; left--) {
                        skipString();
                        file.skip(Double.BYTES);
                    }
                    return "sorted sets";
                }
                case 9, 13, 16 -> {
                    skipString();
                    return "hashes";
                }
                case 22, 24 -> {
                    // Hashes with fields that expire: since the release with the moment of the first, and each with its
                    // own.
                    file.skip(type == 24 ? Long.BYTES : 0);
                    for (long left = length(); left > 0; left--) {
                        length();
                        skipStrings(2);
                    }
                    return "hashes";
                }
                case 23, 25 -> {
                    file.skip(type == 25 ? Long.BYTES : 0);
                    skipString();
                    return "hashes";
                }
                case 10 -> {
                    skipString();
                    return "lists";
                }
                case 11, 20 -> {
                    skipString();
                    return "sets";
                }
                case 12, 17 -> {
                    skipString();
                    return "sorted sets";
                }
                case 18 -> {
                    for (long left = length(); left > 0; left--) {
                        length();
                        skipString();
                    }
                    return "lists";
                }
                case 15, 19, 21 -> {
                    skipStream(type);
                    return "streams";
                }
                default -> throw unreadable("a value of type " + type);
            }
        }

        private void skipStream(int type) throws IOException {
            boolean second = type >= 19;
            skipPairs(length());
            // Length and last id; since the second version the first id, the greatest deleted one, and how many there
            // were.
            skipLengths(second ? 8 : 3);
            for (long groups = length(); groups > 0; groups--) {
                skipString();
                skipLengths(second ? 3 : 2);
                for (long pending = length(); pending > 0; pending--) {
                    file.skip(STREAM_ID_BYTES + Long.BYTES);
                    length();
                }
                for (long consumers = length(); consumers > 0; consumers--) {
                    skipString();
                    file.skip(type == 21 ? 2 * Long.BYTES : Long.BYTES);
                    for (long ids = length(); ids > 0; ids--) {
                        file.skip(STREAM_ID_BYTES);
                    }
                }
            }
        }

        private void skipLengths(int count) throws IOException {
            for (int i = 0; i < count; i++) {
                length();
            }
        }

        private void skipPairs(long pairs) throws IOException {
            for (long left = pairs; left > 0; left--) {
                skipString();
                skipString();
            }
        }

        private void skipStrings(long count) throws IOException {
            for (long left = count; left > 0; left--) {
                skipString();
            }
        }

        private ByteBuffer littleEndian(int bytes) throws IOException {
            return ByteBuffer.wrap(file.read(bytes)).order(ByteOrder.LITTLE_ENDIAN);
        }

        private long length() throws IOException {
            long start = file.position();
            int first = file.read();
            if (first >>> 6 == 3) {
                throw new IOException(
                        "the dump is damaged: a length is a packed string, offset=" + start + ", file=" + file.path());
            }
            return length(first);
        }

        /** Returns the length whose first byte was read, which is none of a packed string. */
        private long length(int first) throws IOException {
            return switch (first >>> 6) {
                case 0 -> first & 0x3F;
                case 1 -> (first & 0x3F) << Byte.SIZE | file.read();
                default ->
                    switch (first) {
                        case 0x80 ->
                            Integer.toUnsignedLong(
                                    ByteBuffer.wrap(file.read(Integer.BYTES)).getInt());
                        case 0x81 ->
                            notNegative(ByteBuffer.wrap(file.read(Long.BYTES)).getLong());
                        default ->
                            throw new IOException("the dump is damaged: no length begins with " + first + ", offset="
                                    + (file.position() - 1) + ", file=" + file.path());
                    };
            };
        }

        private long notNegative(long length) throws IOException {
            if (length < 0) {
                throw new IOException("the dump is damaged: a length of more than 63 bits, offset="
                        + (file.position() - Long.BYTES) + ", file=" + file.path());
            }
            return length;
        }

        private byte[] string() throws IOException {
            int first = file.read();
            return switch (first) {
                case 0xC0 -> decimal(littleEndian(1).get());
                case 0xC1 -> decimal(littleEndian(Short.BYTES).getShort());
                case 0xC2 -> decimal(littleEndian(Integer.BYTES).getInt());
                case 0xC3 -> unpacked();
                default -> file.read(length(first));
            };
        }

        private void skipString() throws IOException {
            int first = file.read();
            switch (first) {
                case 0xC0 -> file.skip(1);
                case 0xC1 -> file.skip(Short.BYTES);
                case 0xC2 -> file.skip(Integer.BYTES);
                case 0xC3 -> {
                    long packed = length();
                    length();
                    file.skip(packed);
                }
                default -> file.skip(length(first));
            }
        }

        private static byte[] decimal(int value) {
            return Integer.toString(value).getBytes(StandardCharsets.US_ASCII);
        }

        private byte[] unpacked() throws IOException {
            long start = file.position();
            long packed = length();
            long plain = length();
            byte[] bytes = file.read(packed);
            // LZF makes of three bytes 264 at most: what claims more would only take memory.
            byte[] unpacked = plain > Math.min(Integer.MAX_VALUE - 8L, packed * LZF_LONGEST_RATIO)
                    ? null
                    : Lzf.unpack(bytes, (int) plain);
            if (unpacked == null) {
                throw new IOException("the dump is damaged: a packed string does not unpack to " + plain
                        + " bytes, offset=" + start + ", file=" + file.path());
            }
            return unpacked;
        }

        private IOException unreadable(String what) {
            return new IOException(what + " cannot be read over, and nothing after it: delete it in Redis and dump"
                    + " again; offset=" + (file.position() - 1) + ", file=" + file.path());
        }
    }
}
