package dev.caskwright.moss.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Disjoint ranges of keys in their order, each from a first key to one that is no longer in it. Immutable. */
public final class RangeSet {
    /** The set of no ranges. */
    public static final RangeSet EMPTY = new RangeSet(new byte[0][], new byte[0][]);

    private final byte[][] froms;
    private final byte[][] tos;

    private RangeSet(byte[][] froms, byte[][] tos) {
        this.froms = froms;
        this.tos = tos;
    }

    /** Returns this set with one range more; one that has no keys changes nothing. */
    public RangeSet with(byte[] from, byte[] to) {
        if (Arrays.compareUnsigned(from, to) >= 0) {
            return this;
        }
        return with(new RangeSet(new byte[][] {from}, new byte[][] {to}));
    }

    /** Returns the union of two sets. */
    public RangeSet with(RangeSet other) {
        if (other.isEmpty()) {
            return this;
        }
        if (isEmpty()) {
            return other;
        }
        List<byte[][]> all = new ArrayList<>();
        addTo(all);
        other.addTo(all);
        all.sort(Comparator.comparing(range -> range[0], Arrays::compareUnsigned));
        List<byte[]> froms = new ArrayList<>();
        List<byte[]> tos = new ArrayList<>();
        for (byte[][] range : all) {
            int last = tos.size() - 1;
            if (last >= 0 && Arrays.compareUnsigned(range[0], tos.get(last)) <= 0) {
                if (Arrays.compareUnsigned(range[1], tos.get(last)) > 0) {
                    tos.set(last, range[1]);
                }
            } else {
                froms.add(range[0]);
                tos.add(range[1]);
            }
        }
        return new RangeSet(froms.toArray(new byte[0][]), tos.toArray(new byte[0][]));
    }

    private void addTo(List<byte[][]> all) {
        for (int i = 0; i < froms.length; i++) {
            all.add(new byte[][] {froms[i], tos[i]});
        }
    }

    /** Returns whether there are none. */
    public boolean isEmpty() {
        return froms.length == 0;
    }

    /** Returns how many ranges there are. */
    public int size() {
        return froms.length;
    }

    /** Returns the first key of a range. */
    public byte[] from(int range) {
        return froms[range];
    }

    /** Returns the key after the last one of a range. */
    public byte[] to(int range) {
        return tos[range];
    }

    /** Returns the bytes of memory that the ranges take, about. */
    public long bytes() {
        long bytes = 0;
        for (int i = 0; i < froms.length; i++) {
            bytes += froms[i].length + tos[i].length + 48L;
        }
        return bytes;
    }

    /** Returns whether a key is in one of the ranges. */
    public boolean contains(byte[] key, int offset, int length) {
        int low = 0;
        int high = froms.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            byte[] from = froms[middle];
            if (Arrays.compareUnsigned(from, 0, from.length, key, offset, offset + length) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        if (high < 0) {
            return false;
        }
        byte[] to = tos[high];
        return Arrays.compareUnsigned(key, offset, offset + length, to, 0, to.length) < 0;
    }
}
