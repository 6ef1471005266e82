package dev.caskwright.bitcask.undo;

import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import org.jspecify.annotations.Nullable;

/**
 * One snapshot's undo map, and a link to that of the next newer snapshot: the locator that a key had is in the first map
 * along the links that has the key.
 *
 * <p><b>Threads.</b> Readers walk along the links while snapshots open and close. One snapshot closes at a time.
 */
public final class Undo {
    /** While a snapshot closes, what is saved in less than so many bytes is passed on under the write lock. */
    private static final long PASSED_AT_ONCE = 16 << 10;

    private static final int MAX_PASSES = 8;

    public final UndoMap map;
    public volatile @Nullable Undo next;
    public long first = KeyIndex.ABSENT; // locator of the first record since then; set under the write lock

    public Undo(KeyHash hash) {
        this.map = new UndoMap(hash);
    }

    /** Returns what was saved for a key from here on, or {@link UndoMap#UNCHANGED}. */
    public long find(byte[] key, int offset, int length) {
        return find(null, key, offset, length);
    }

    /** Returns what was saved for a key from here on and before {@code end}, or {@link UndoMap#UNCHANGED}. */
    public long find(@Nullable Undo end, byte[] key, int offset, int length) {
        Undo each = this;
        while (each != null && each != end) {
            // The link is read before the map: the next one may close in between, and what it has is then in this map,
            // where it is missed, while the link leads past it. By the link that was read it is still found.
            Undo later = each.next;
            long saved = each.map.get(key, offset, length);
            if (saved != UndoMap.UNCHANGED) {
                return saved;
            }
            each = later;
        }
        return UndoMap.UNCHANGED;
    }

    /**
     * Copies most of the map of the next one, whose snapshot closes, into this one, while writers go on, and returns how
     * far it got. Nobody else writes to this map: it is not the newest. Readers find the same in either.
     */
    public long copyMostOf(Undo closed) {
        long copied = 0;
        for (int pass = 0; pass < MAX_PASSES; pass++) {
            long before = copied;
            copied = map.saveAll(closed.map, before);
            if (copied - before < PASSED_AT_ONCE) {
                break;
            }
        }
        return copied;
    }

    /** Copies the rest of the map of the next one, whose snapshot closes, and takes it out. Under the write lock. */
    public void takeOver(Undo closed, long copied) {
        map.saveAll(closed.map, copied);
        // Readers that still hold the link see the same values after it.
        next = closed.next;
    }
}
