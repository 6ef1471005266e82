package dev.caskwright.server.command;

import dev.caskwright.server.store.Ahead;
import dev.caskwright.server.store.Keyspace;
import java.util.Arrays;

/**
 * Finds GETs that follow each other in what a client has pipelined, and has their keys read together before they run. It is a hint
 * and no more: each of them still runs, in its turn, and is refused or answered as it would be. For one thread.
 */
public final class LookAhead {
    private static final byte[] START = {'*', '2', '\r', '\n', '$', '3', '\r', '\n'};
    private static final int NAME_END = START.length + 3;
    private static final int LENGTH_START = NAME_END + 3;
    private static final int MOST_DIGITS = 5;

    private final byte[][] keys = new byte[Ahead.MOST_KEYS][];

    /** Where the key that was found begins, and ends. */
    private int keyFrom;

    private int keyTo;

    /**
     * Reads the keys of the GETs from {@code from} on, if there are several.
     *
     * @return before which place there is nothing more to look at; beyond {@code from}
     */
    public int read(Call call, byte[] data, int from, int to) {
        Session session = call.session();
        Keyspace keyspace = call.host().keyspace();
        keyspace.ahead().forget(); // what was read for GETs that were refused
        if (!find(data, from, to) || session.queue() != null || !keyspace.mayReadAhead()) {
            return from + 1;
        }
        byte slot = keyspace.slot(session.database());
        int count = 0;
        int end = from;
        do {
            byte[] key = new byte[1 + keyTo - keyFrom];
            key[0] = slot;
            System.arraycopy(data, keyFrom, key, 1, keyTo - keyFrom);
            keys[count++] = key;
            end = keyTo + 2;
        } while (count < keys.length && find(data, end, to));
        if (count > 1) {
            keyspace.ahead().read(Arrays.copyOf(keys, count));
        }
        Arrays.fill(keys, 0, count, null);
        return end;
    }

    /** Returns whether a GET as clients send it begins at a place, and is whole. */
    private boolean find(byte[] data, int from, int to) {
        if (to - from < LENGTH_START
                || !Arrays.equals(data, from, from + START.length, START, 0, START.length)
                || (data[from + START.length] | 0x20) != 'g'
                || (data[from + START.length + 1] | 0x20) != 'e'
                || (data[from + START.length + 2] | 0x20) != 't'
                || data[from + NAME_END + 2] != '$') {
            return false;
        }
        int length = 0;
        int place = from + LENGTH_START;
        int lastDigit = Math.min(to, place + MOST_DIGITS);
        for (; place < lastDigit && data[place] >= '0' && data[place] <= '9'; place++) {
            length = 10 * length + data[place] - '0';
        }
        keyFrom = place + 2;
        keyTo = keyFrom + length;
        return length <= Keyspace.MAX_KEY_LENGTH && keyTo + 2 <= to;
    }
}
