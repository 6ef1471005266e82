package dev.caskwright.mvcc;

import java.util.Arrays;

/** What is stored at a revision, read where it lies in an array that is used again. For one thread. */
final class StoredRevision {
    private static final byte[] NOTHING = new byte[0];

    private final Wire wire = Wire.reading(NOTHING);
    byte[] bytes = NOTHING;
    int keyAt;
    int keyLength;
    int valueAt;
    int valueLength;
    long create;
    long mod;
    long version;
    long lease;

    /**
     * Reads and checks what is stored.
     *
     * @param revision the key of the revision, which is also that of a tombstone
     * @param isTombstone whether it is one
     * @param stored has it at its start; good until something else is read
     */
    void read(byte[] revision, boolean isTombstone, byte[] stored, int length) throws MvccException {
        bytes = stored;
        keyAt = 0;
        keyLength = 0;
        valueAt = 0;
        valueLength = 0;
        create = 0;
        mod = 0;
        version = 0;
        lease = 0;
        try {
            readFields(length);
        } catch (Wire.MalformedException e) {
            throw Schema.damage(Schema.KEY, revision, e.getMessage() == null ? "value cannot be read" : e.getMessage());
        }
        if (keyLength == 0) {
            throw Schema.damage(Schema.KEY, revision, "value names no key");
        }
        if (isTombstone) {
            return;
        }
        if (mod != Schema.main(revision)
                || create <= 0
                || create > mod
                || version <= 0
                || version > Schema.MAX_NUMBER) {
            throw Schema.damage(
                    Schema.KEY,
                    revision,
                    "value is of another revision: key=" + Schema.show(key()) + ", mod=" + mod + ", create=" + create
                            + ", version=" + version);
        }
    }

    private void readFields(int length) throws Wire.MalformedException {
        wire.read(bytes, length);
        while (wire.hasMore()) {
            int tag = wire.tag();
            switch (tag) {
                case 1 << 3 | 2 -> {
                    keyLength = wire.length();
                    keyAt = wire.pass(keyLength);
                }
                case 2 << 3 -> create = wire.number();
                case 3 << 3 -> mod = wire.number();
                case 4 << 3 -> version = wire.number();
                case 5 << 3 | 2 -> {
                    valueLength = wire.length();
                    valueAt = wire.pass(valueLength);
                }
                case 6 << 3 -> lease = wire.number();
                default -> wire.skip(tag);
            }
        }
    }

    /** Returns a copy of the key. */
    byte[] key() {
        return Arrays.copyOfRange(bytes, keyAt, keyAt + keyLength);
    }

    boolean hasKey(byte[] key) {
        return Arrays.equals(bytes, keyAt, keyAt + keyLength, key, 0, key.length);
    }

    /** Returns a copy of the value. */
    byte[] value() {
        return Arrays.copyOfRange(bytes, valueAt, valueAt + valueLength);
    }
}
