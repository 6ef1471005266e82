package dev.caskwright.server.store;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which slot each database has, and which slots may have keys. Immutable.
 *
 * <pre>
 * 0        1           2       3                3 + n
 * | format | databases | flags | slot (1) * n   | used slots: 32 bytes, a bit each, the lowest first |
 * </pre>
 *
 * Flag 1: keys that expire were put. Flag 2: after that a slot was emptied, so that keys of it that had expired may still be
 * counted by the store. Flag 4: no value is longer than {@link #SHORT_BYTES}.
 */
final class SlotMap {
    /** The longest value, with the byte of its type, of a store that has short ones only. */
    static final int SHORT_BYTES = 16 << 10;

    private static final byte FORMAT = 1;
    private static final int USED_BYTES = 32;
    private static final int MAX_SLOTS = 254;
    private static final int HEADER_BYTES = 3;
    private static final int EXPIRING = 1;
    private static final int GHOSTS = 2;
    private static final int SHORT = 4;

    private final byte[] slots;
    private final byte[] used;
    private final int databases;
    private final int flags;

    private SlotMap(byte[] slots, byte[] used, int databases, int flags) {
        this.flags = flags;
        this.slots = slots;
        this.used = used;
        this.databases = databases;
    }

    /**
     * Reads the record, or makes the map of an empty store.
     *
     * @param isOwn whether nobody else puts values into the store
     */
    static SlotMap read(byte @Nullable [] record, int databases, boolean isOwn) throws IOException {
        SlotMap map = new SlotMap(new byte[0], new byte[USED_BYTES], 0, isOwn ? SHORT : 0);
        if (record != null) {
            int stored = record.length < HEADER_BYTES ? -1 : record[1] & 0xFF;
            if (record.length < HEADER_BYTES
                    || record[0] != FORMAT
                    || record.length != HEADER_BYTES + stored + USED_BYTES) {
                throw new IOException("the store's list of databases has a format that is not known: length="
                        + record.length + "; open it with the version that wrote it");
            }
            byte[] slots = Arrays.copyOfRange(record, HEADER_BYTES, HEADER_BYTES + stored);
            byte[] used = Arrays.copyOfRange(record, HEADER_BYTES + stored, record.length);
            map = new SlotMap(slots, used, stored, record[2]);
        }
        byte[] slots = Arrays.copyOf(map.slots, Math.max(databases, map.slots.length));
        for (int i = map.slots.length; i < slots.length; i++) {
            slots[i] = (byte) free(slots, i, map.used);
        }
        return new SlotMap(slots, map.used, databases, map.flags);
    }

    private static int free(byte[] slots, int count, byte[] used) {
        for (int slot = 0; slot < MAX_SLOTS; slot++) {
            if (!isSet(used, slot) && !has(slots, count, slot)) {
                return slot;
            }
        }
        return -1;
    }

    private static boolean has(byte[] slots, int count, int slot) {
        for (int i = 0; i < count; i++) {
            if (slots[i] == (byte) slot) {
                return true;
            }
        }
        return false;
    }

    private static boolean isSet(byte[] bits, int bit) {
        return (bits[bit >>> 3] & 1 << (bit & 7)) != 0;
    }

    byte[] bytes() {
        byte[] record = new byte[HEADER_BYTES + slots.length + USED_BYTES];
        record[0] = FORMAT;
        record[1] = (byte) slots.length;
        record[2] = (byte) flags;
        System.arraycopy(slots, 0, record, HEADER_BYTES, slots.length);
        System.arraycopy(used, 0, record, HEADER_BYTES + slots.length, USED_BYTES);
        return record;
    }

    int databases() {
        return databases;
    }

    byte slot(int database) {
        return slots[database];
    }

    boolean isUsed(byte slot) {
        return isSet(used, slot & 0xFF);
    }

    int usedSlots() {
        int count = 0;
        for (byte bits : used) {
            count += Integer.bitCount(bits & 0xFF);
        }
        return count;
    }

    /** Returns whether a value of a length, for ever or until it expires, may be put without a change of this map. */
    boolean allows(int database, boolean expires, int length) {
        return isUsed(slots[database])
                && (!expires || (flags & EXPIRING) != 0)
                && (length <= SHORT_BYTES || !hasShortValuesOnly());
    }

    SlotMap use(int database, boolean expires, int length) {
        int slot = slots[database] & 0xFF;
        byte[] next = used.clone();
        next[slot >>> 3] |= (byte) (1 << (slot & 7));
        int kept = length > SHORT_BYTES ? flags & ~SHORT : flags;
        return new SlotMap(slots, next, databases, expires ? kept | EXPIRING : kept);
    }

    /** Returns whether no value of the store is longer than {@link #SHORT_BYTES}. */
    boolean hasShortValuesOnly() {
        return (flags & SHORT) != 0;
    }

    /** Returns whether the store may count keys that are in no slot. */
    boolean mayHaveGhosts() {
        return (flags & GHOSTS) != 0;
    }

    /** Returns a map in which nothing is in the slot. */
    SlotMap removed(byte slot) {
        int bit = slot & 0xFF;
        byte[] next = used.clone();
        next[bit >>> 3] &= (byte) ~(1 << (bit & 7));
        return new SlotMap(slots, next, databases, (flags & EXPIRING) != 0 ? flags | GHOSTS : flags);
    }

    SlotMap clear(int database) throws IOException {
        if (!isUsed(slots[database])) {
            return this;
        }
        int free = free(slots, slots.length, used);
        if (free < 0) {
            throw new RefusedException("too many databases were emptied and are still being removed; try again later");
        }
        byte[] next = slots.clone();
        next[database] = (byte) free;
        return new SlotMap(next, used, databases, flags);
    }

    SlotMap clearAll() throws IOException {
        SlotMap map = this;
        for (int i = 0; i < databases; i++) {
            map = map.clear(i);
        }
        return map;
    }

    SlotMap swap(int one, int other) {
        byte[] next = slots.clone();
        next[one] = slots[other];
        next[other] = slots[one];
        return new SlotMap(next, used, databases, flags);
    }

    /** Returns the slot that takes the place of each, where databases have other slots in {@code next}; empty if none has. */
    byte[] moves(SlotMap next) {
        if (Arrays.equals(slots, next.slots)) {
            return new byte[0];
        }
        byte[] moves = new byte[256];
        for (int slot = 0; slot < moves.length; slot++) {
            moves[slot] = (byte) slot;
        }
        for (int i = 0; i < databases; i++) {
            moves[slots[i] & 0xFF] = next.slots[i];
        }
        return moves;
    }

    /** Returns whether a slot has, or may have, keys, and belongs to no database. */
    boolean isLeftover(byte slot) {
        int number = slot & 0xFF;
        return number < MAX_SLOTS && isSet(used, number) && !has(slots, slots.length, number);
    }

    /** Returns a slot that has, or may have, keys, and belongs to no database; -1 if there is none. */
    int leftover() {
        for (int slot = 0; slot < MAX_SLOTS; slot++) {
            if (isSet(used, slot) && !has(slots, slots.length, slot)) {
                return slot;
            }
        }
        return -1;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SlotMap map
                && Arrays.equals(slots, map.slots)
                && Arrays.equals(used, map.used)
                && flags == map.flags;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(slots) * 31 + Arrays.hashCode(used) + flags;
    }
}
