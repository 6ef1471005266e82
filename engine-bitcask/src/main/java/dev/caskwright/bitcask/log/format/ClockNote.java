package dev.caskwright.bitcask.log.format;

import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.ClockNotes;
import java.io.IOException;

/**
 * What the engine's clock is not to forget: a few longs at a fixed place of the manifest, written over and over. So it
 * takes the same space after a day and after a year.
 *
 * <p>There are two slots, each in a sector of its own, which are written in turns. If a crash tears one, the other still
 * has the note before, which is all that anybody was told by. Notes are not forced on their own account. For one thread at
 * a time.
 *
 * <pre>
 * 0          4        8        16
 * | checksum | length | serial | longs ... |
 * </pre>
 */
public final class ClockNote {
    /** The greatest count of longs in a note. */
    public static final int MAX_LONGS = ClockNotes.MAX_LONGS; // a sector without block header and serial

    static final int FIRST_SLOT = 512;
    static final int SLOT_LENGTH = 512;
    public static final int END = FIRST_SLOT + 2 * SLOT_LENGTH;

    private static final long[] NOTHING = {};

    private final StoreId store;
    private long[] longs = NOTHING;
    private long serial;

    public ClockNote(StoreId store) {
        this.store = store;
    }

    public long[] longs() {
        return longs.clone();
    }

    /** Returns the number of the note. */
    public long serial() {
        return serial;
    }

    /** Takes a note over that the next start of a manifest will have. */
    public void set(long[] newLongs) {
        check(newLongs);
        longs = newLongs.clone();
    }

    private static void check(long[] newLongs) {
        if (newLongs.length > MAX_LONGS) {
            throw new IllegalArgumentException("clock note is too long: longs=" + newLongs.length);
        }
    }

    /** Reads the newer one of the slots that are sound. */
    public void read(byte[] start, int length) {
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
            if (found > newest && found < Long.MAX_VALUE) {
                newest = found;
                serial = found;
                longs = new long[content / Long.BYTES - 1];
                for (int i = 0; i < longs.length; i++) {
                    longs[i] = (long) RecordFormat.LONG.get(start, slot + Block.HEADER_LENGTH + Long.BYTES * (i + 1));
                }
            }
        }
    }

    /** Puts the note into the start of a new manifest; returns its serial. */
    public long placeIn(byte[] start) {
        if (longs.length > 0) {
            System.arraycopy(encode(), 0, start, slotOffset(), SLOT_LENGTH);
        }
        return serial;
    }

    /** Writes the note to its slot of a manifest. */
    public void write(WritableFile target) throws IOException {
        target.write(slotOffset(), encode(), 0, SLOT_LENGTH);
    }

    /** Replaces the note by another one, and writes that. */
    public void note(WritableFile target, long[] fresh) throws IOException {
        check(fresh);
        long[] before = longs;
        longs = fresh.clone();
        serial++;
        boolean isWritten = false;
        try {
            write(target);
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
