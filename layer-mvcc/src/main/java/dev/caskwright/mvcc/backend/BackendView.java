package dev.caskwright.mvcc.backend;

import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Everything that was written when the view was opened, whether it is committed yet or not. The bytes that it returns are not
 * changed by the caller. For one thread; the caller closes it.
 */
public final class BackendView implements OrderedStore.View {
    private final OrderedStore.View base;
    private final @Nullable Turns turns; // null if it gives way to nobody
    private final Overlay[] overlays; // the uppermost first
    private Turns.@Nullable Turn turn; // of reads that are not through a cursor
    private int passed;

    BackendView(OrderedStore.View base, @Nullable Turns turns, Overlay... overlays) {
        this.base = base;
        this.turns = turns;
        this.overlays = overlays;
    }

    /** Gives way to writers now and then; to be called by a read of many keys, before each of them. Cursors do so themselves. */
    public void giveWay() {
        Turns shared = turns;
        if (shared != null && ++passed == Turns.KEYS) {
            passed = 0;
            Turns.Turn own = turn;
            if (own == null) {
                own = shared.new Turn();
                turn = own;
            }
            own.pass();
        }
    }

    @Override
    public byte @Nullable [] get(Bucket bucket, byte[] key) throws IOException {
        for (Overlay overlay : overlays) {
            byte[] value = overlay.get(bucket, key);
            if (value != null) {
                return value == Overlay.REMOVED ? null : value;
            }
        }
        return base.get(bucket, key);
    }

    @Override
    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of maps cannot be made otherwise
    public OrderedStore.Cursor range(Bucket bucket, byte @Nullable [] from, byte @Nullable [] to, boolean descending)
            throws IOException {
        int count = 0;
        PersistentMap<byte[]>[] maps = new PersistentMap[overlays.length];
        for (Overlay overlay : overlays) {
            if (overlay.map(bucket).size() > 0) {
                maps[count++] = overlay.map(bucket);
            }
        }
        OrderedStore.Cursor cursor = base.range(bucket, from, to, descending);
        if (count > 0) {
            cursor = new LayeredCursor(cursor, Arrays.copyOf(maps, count), from, to, descending);
        }
        return turns == null ? cursor : new GivingWayCursor(cursor, turns.new Turn());
    }

    @Override
    public void close() {
        base.close();
    }
}
