package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.RecordLog;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the engine's clock is not to forget: a few longs at a fixed place of the manifest, written over and over. So it
 * takes the same space after a day and after a year.
 *
 * <p>There are two slots, each in a sector of its own, which are written in turns. If a crash tears one, the other still
 * has the note before, which is all that anybody was told by. Notes are not forced on their own account.
 *
 * <pre>
 * 0          4        8        16
 * | checksum | length | serial | longs ... |
 * </pre>
 */
final class ClockNote {
    /** The greatest count of longs in a note. */
    static final int MAX_LONGS = RecordLog.MAX_CLOCK_NOTE; // a sector without block header and serial

    static final int FIRST_SLOT = 512;
    static final int SLOT_LENGTH = 512;
    static final int END = FIRST_SLOT + 2 * SLOT_LENGTH;

    private static final long[] NOTHING = {};

    /** Where a slot is written to. */
    interface Target {
        void write(long offset, byte[] slot) throws IOException;
    }

    private final StoreId store;
    private final ReentrantLock manifest;
    private volatile @Nullable Supplier<long[]> waiting;
    private volatile long[] longs = NOTHING;
    private long serial; // guarded by the manifest's lock

    /** Makes the note of a manifest that is changed under this lock. */
    ClockNote(StoreId store, ReentrantLock manifest) {
        this.store = store;
        this.manifest = manifest;
    }

    long[] longs() {
        return longs.clone();
    }

    /** Takes a note over that the next start of a manifest will have. */
    void set(long[] newLongs) {
        check(newLongs);
        longs = newLongs.clone();
    }

    private static void check(long[] newLongs) {
        if (newLongs.length > MAX_LONGS) {
            throw new IllegalArgumentException("clock note is too long: longs=" + newLongs.length);
        }
    }

    /** Reads the newer one of the slots that are sound. */
    void read(byte[] start, int length) {
        long newest = -1;
        for (int slot = FIRST_SLOT; slot < END; slot += SLOT_LENGTH) {
            if (slot + SLOT_LENGTH > length) {
                return;
            }
            int content = Block.length(start, slot);
            if (content < Long.BYTES
                    || content > SLOT_LENGTH - Block.HEADER_LENGTH
                    || content % Long.BYTES != 0
                    || !Block.isSound(start, slot, content, RecordFormat.mask(store.seed(), slot))) {
                continue;
            }
            long found = (long) RecordFormat.LONG.get(start, slot + Block.HEADER_LENGTH);
            if (found > newest) {
                newest = found;
                serial = found;
                longs = new long[content / Long.BYTES - 1];
                for (int i = 0; i < longs.length; i++) {
                    longs[i] = (long) RecordFormat.LONG.get(start, slot + Block.HEADER_LENGTH + Long.BYTES * (i + 1));
                }
            }
        }
    }

    /** Puts the note into the start of a new manifest. Under the manifest's lock. */
    void placeIn(byte[] start) {
        if (longs.length > 0) {
            serial++;
            byte[] slot = encode();
            System.arraycopy(slot, 0, start, slotOffset(), SLOT_LENGTH);
        }
    }

    /**
     * Notes what {@code latest} returns when it is written. Does not wait for anybody: if the manifest is being changed,
     * whoever changes it writes the note afterwards, see {@link #writeWaiting}.
     */
    void note(Supplier<long[]> latest, Target target) throws IOException {
        waiting = latest;
        writeWaiting(target);
    }

    /** Writes a note that came while the manifest was locked, unless it is locked again. */
    void writeWaiting(Target target) throws IOException {
        // Whoever holds the lock asks again once it is free, so none that comes while it is held is left.
        while (waiting != null && manifest.tryLock()) {
            try {
                write(target);
            } finally {
                manifest.unlock();
            }
        }
    }

    private void write(Target target) throws IOException {
        Supplier<long[]> latest = waiting;
        if (latest == null) {
            return;
        }
        waiting = null;
        long[] fresh = latest.get();
        check(fresh);
        long[] before = longs;
        longs = fresh.clone();
        serial++;
        boolean isWritten = false;
        try {
            target.write(slotOffset(), encode());
            isWritten = true;
        } finally {
            if (!isWritten) {
                longs = before;
                serial--; // the same slot again: the other one has what counts
            }
        }
    }

    private int slotOffset() {
        return FIRST_SLOT + (int) (serial & 1) * SLOT_LENGTH;
    }

    private byte[] encode() {
        byte[] slot = new byte[SLOT_LENGTH];
        RecordFormat.LONG.set(slot, Block.HEADER_LENGTH, serial);
        for (int i = 0; i < longs.length; i++) {
            RecordFormat.LONG.set(slot, Block.HEADER_LENGTH + Long.BYTES * (i + 1), longs[i]);
        }
        Block.seal(slot, Long.BYTES * (longs.length + 1), RecordFormat.mask(store.seed(), slotOffset()));
        return slot;
    }
}
