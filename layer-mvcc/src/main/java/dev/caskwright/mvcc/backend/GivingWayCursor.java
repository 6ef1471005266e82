package dev.caskwright.mvcc.backend;

import java.io.IOException;

/** A walk that gives way to writers after some keys. */
final class GivingWayCursor implements OrderedStore.Cursor {
    private final OrderedStore.Cursor cursor;
    private final Turns.Turn turn;
    private int passed;

    GivingWayCursor(OrderedStore.Cursor cursor, Turns.Turn turn) {
        this.cursor = cursor;
        this.turn = turn;
    }

    @Override
    public boolean next() throws IOException {
        if (++passed == Turns.KEYS) {
            passed = 0;
            turn.pass();
        }
        return cursor.next();
    }

    @Override
    public byte[] key() {
        return cursor.key();
    }

    @Override
    public byte[] value() throws IOException {
        return cursor.value();
    }

    @Override
    public int copyKey(byte[] target) {
        return cursor.copyKey(target);
    }

    @Override
    public int copyValue(byte[] target) throws IOException {
        return cursor.copyValue(target);
    }

    @Override
    public void close() {
        cursor.close();
    }
}
