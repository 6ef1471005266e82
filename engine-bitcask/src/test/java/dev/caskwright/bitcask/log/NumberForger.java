package dev.caskwright.bitcask.log;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds every number in the files of a store and puts others in its place, by docs/format.md alone: each checksum is right, and
 * only the sum that the manifest has of a cache is not. It shares no code with what it attacks. What is encrypted is left as it is.
 */
public final class NumberForger {
    private static final int HEADER = 64;
    private static final int HEADER_CRC = 60;
    private static final int FIRST_EDIT = 1536;
    private static final int EDIT_HEADER = 24;
    private static final int[] NOTES = {512, 1024};
    private static final int RECORD_HEADER = 24;
    private static final int ENCRYPTED = 2;
    private static final int KEY_NOTE = 128;
    private static final int TAG = 16;

    private final String name;
    private final byte[] file;
    private final ByteBuffer bytes;
    private final List<Number> numbers = new ArrayList<>();
    private final long storeSeed;

    /** Makes the checksums of a file right again. */
    private interface Seal {
        void apply(byte[] forged);
    }

    /** One number of a file: where it is, how long, and which checksums it is in. */
    public final class Number {
        private final String what;
        private final int at;
        private final int length;
        private final Seal seal;

        private Number(String what, int at, int length, Seal seal) {
            this.what = what;
            this.at = at;
            this.length = length;
            this.seal = seal;
        }

        /** Returns the number that is there. */
        public long value() {
            long value = 0;
            for (int i = length - 1; i >= 0; i--) {
                value = value << 8 | file[at + i] & 0xFF;
            }
            return value;
        }

        /** Returns the file with another number here, of which the low bytes count. */
        public byte[] forged(long value) {
            byte[] forged = file.clone();
            for (int i = 0; i < length; i++) {
                forged[at + i] = (byte) (value >>> (8 * i));
            }
            seal.apply(forged);
            return forged;
        }

        /** Returns the name of the file. */
        public String file() {
            return name;
        }

        @Override
        public String toString() {
            return name + " " + what + " at " + at;
        }
    }

    private NumberForger(String name, byte[] file) {
        this.name = name;
        this.file = file;
        this.bytes = buffer(file);
        this.storeSeed = (bytes.getLong(16) ^ Long.rotateLeft(bytes.getLong(24), 32)) * 0x9E3779B97F4A7C15L;
    }

    /** Returns the numbers of a file of a store; none if the file is of no kind that has any. */
    public static List<Number> numbers(String name, byte[] file) {
        NumberForger forger = new NumberForger(name, file);
        if (name.equals("MANIFEST")) {
            forger.manifest();
        } else if (name.endsWith(".data") || name.endsWith(".merged")) {
            forger.data();
        } else if (name.endsWith(".hint")) {
            forger.hints();
        } else if (name.endsWith(".image")) {
            forger.image();
        }
        return forger.numbers;
    }

    private void add(String what, int at, int length, Seal seal) {
        numbers.add(new Number(what, at, length, seal));
    }

    private void header(Seal then, int... places) {
        Seal seal = forged -> {
            buffer(forged).putInt(HEADER_CRC, Forger.crc(forged, 0, HEADER_CRC));
            then.apply(forged);
        };
        add("format version", 8, 4, seal);
        for (int i = 0; i < places.length; i += 2) {
            add("header", places[i], places[i + 1], seal);
        }
    }

    // ---------------------------------------------------------------- manifest

    private void manifest() {
        header(forged -> {}, 12, 4, 32, 8);
        for (int at : NOTES) {
            note(at);
        }
        int at = FIRST_EDIT;
        while (at + EDIT_HEADER <= file.length && bytes.getLong(at + 8) != 0) {
            int start = at;
            int length = bytes.getInt(at + 4);
            Seal seal = forged -> sealEdit(forged, start, length);
            String edit = "edit of type " + (bytes.getLong(at + 8) & 0xFF);
            add(edit + " type", at + 8, 1, seal);
            add(edit + " forced", at + 9, 7, seal);
            add(
                    edit + " length",
                    at + 4,
                    4,
                    forged -> buffer(forged)
                            .putInt(
                                    start,
                                    Forger.crc(forged, start + 4, start + EDIT_HEADER)
                                            ^ Forger.mask(storeSeed, start)));
            for (int i = 0; i < length; i += 8) {
                add(edit + " long " + i / 8, at + EDIT_HEADER + i, 8, seal);
            }
            at += EDIT_HEADER + length;
        }
    }

    private void sealEdit(byte[] forged, int start, int length) {
        ByteBuffer target = buffer(forged);
        target.putInt(start + 16, Forger.crc(forged, start + EDIT_HEADER, start + EDIT_HEADER + length));
        target.putInt(start, Forger.crc(forged, start + 4, start + EDIT_HEADER) ^ Forger.mask(storeSeed, start));
    }

    private void note(int start) {
        int length = bytes.getInt(start + 4);
        if (length == 0) {
            return;
        }
        Seal seal = forged -> {
            int now = Math.max(8, Math.min(504, buffer(forged).getInt(start + 4)));
            buffer(forged)
                    .putInt(start, Forger.crc(forged, start + 4, start + 8 + now) ^ Forger.mask(storeSeed, start));
        };
        add("clock note length", start + 4, 4, seal);
        for (int i = 0; i < length; i += 8) {
            add("clock note long " + i / 8, start + 8 + i, 8, seal);
        }
    }

    // ---------------------------------------------------------------- data files

    private void data() {
        header(forged -> {}, 12, 4, 32, 8, 40, 8, 48, 8);
        long seed = Forger.fileSeed(storeSeed, bytes.getLong(32));
        int first = HEADER;
        if (bytes.getInt(8) == ENCRYPTED) {
            keyNote(HEADER);
            first += KEY_NOTE;
        }
        for (int at = first; at + RECORD_HEADER <= file.length && bytes.getLong(at + 8) != 0; ) {
            int start = at;
            int kind = file[at + 15];
            int header = RECORD_HEADER
                    + ((kind & 16) != 0 ? 8 : 0)
                    + ((kind & 64) != 0 ? 8 : 0)
                    + ((kind & 128) != 0 ? 8 : 0);
            Seal seal = forged -> buffer(forged)
                    .putInt(start, Forger.crc(forged, start + 4, start + header) ^ Forger.mask(seed, start));
            add("record version", at + 8, 7, seal);
            add("record kind", at + 15, 1, seal);
            add("record key length", at + 16, 2, seal);
            add("record durable distance", at + 18, 2, seal);
            add("record value length", at + 20, 4, seal);
            for (int more = RECORD_HEADER; more < header; more += 8) {
                add("record expiry, coding or nonce", at + more, 8, seal);
            }
            int body = (bytes.getShort(at + 16) & 0xFFFF) + bytes.getInt(at + 20) + ((kind & 128) != 0 ? TAG : 0);
            if ((kind & 15) == 3) {
                int bodyAt = at + header;
                Seal both = forged -> {
                    buffer(forged).putInt(start + 4, Forger.crc(forged, bodyAt, bodyAt + 8));
                    seal.apply(forged);
                };
                add("batch end count", bodyAt, 4, both);
                add("batch end sum", bodyAt + 4, 4, both);
            }
            at += (header + body + 7) / 8 * 8;
        }
    }

    private void keyNote(int start) {
        int end = start + KEY_NOTE - 4;
        Seal seal = forged -> buffer(forged).putInt(end, Forger.crc(forged, start, end));
        add("key note length of id", start + 8, 4, seal);
        add("key note zeros", start + 12, 4, seal);
        add("key note salt", start + 16, 8, seal);
        add("key note check", start + 48, 8, seal);
        add("key note id", start + 56, 8, seal);
        add("key note zeros after the id", start + 112, 8, seal);
    }

    // ---------------------------------------------------------------- caches

    private void hints() {
        header(forged -> {}, 12, 4, 32, 8, 40, 4, 44, 4, 48, 4, 52, 8);
        long seed = Forger.fileSeed(~storeSeed, bytes.getLong(32));
        List<Integer> blocks = new ArrayList<>();
        for (int at = HEADER; at + 8 <= file.length; at += 8 + bytes.getInt(at + 4)) {
            blocks.add(at);
        }
        Seal seal = forged -> sealBlocks(forged, seed, blocks);
        for (int block = 0; block < blocks.size(); block++) {
            int start = blocks.get(block);
            int end = start + 8 + bytes.getInt(start + 4);
            add(
                    "block length",
                    start + 4,
                    4,
                    forged -> buffer(forged)
                            .putInt(start, Forger.crc(forged, start + 4, end) ^ Forger.mask(seed, start)));
            if (bytes.getInt(8) == ENCRYPTED) {
                continue;
            }
            if (block < blocks.size() - 3) {
                for (int at = start + 8; at < end; at += 8 + (int) (bytes.getLong(at) >>> 48)) {
                    add("entry", at, 8, seal);
                }
            } else if (block == blocks.size() - 3) {
                for (int at = start + 8; at < end; at += 8) {
                    add("expiries", at, 8, seal);
                }
            }
        }
    }

    private static void sealBlocks(byte[] forged, long seed, List<Integer> blocks) {
        ByteBuffer target = buffer(forged);
        int sums = blocks.get(blocks.size() - 1);
        for (int i = 0; i < blocks.size(); i++) {
            int start = blocks.get(i);
            int end = i + 1 < blocks.size() ? blocks.get(i + 1) : forged.length;
            int checksum = Forger.crc(forged, start + 4, end) ^ Forger.mask(seed, start);
            target.putInt(start, checksum);
            if (i + 1 < blocks.size()) {
                target.putInt(sums + 8 + 4 * i, checksum);
            }
        }
    }

    private void image() {
        header(forged -> {}, 32, 8, 40, 8, 48, 8, 56, 4);
        long seed = Forger.fileSeed(~storeSeed ^ bytes.getLong(40), bytes.getLong(32));
        int table = (int) bytes.getLong(48);
        Seal seal = forged ->
                buffer(forged).putInt(table, Forger.crc(forged, table + 4, forged.length) ^ Forger.mask(seed, table));
        add("table block length", table + 4, 4, seal);
        int files = bytes.getInt(table + 32);
        for (int i = 0; i < 24 + 32 * files; i += 8) {
            int at = table + 8 + i + (i < 24 ? 0 : 8);
            add("table long " + i / 8, at, 8, seal);
        }
        add("table count of files", table + 32, 4, seal);
        add("table length of name", table + 36, 4, seal);
    }

    // ---------------------------------------------------------------- bytes

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
