package dev.caskwright.mvcc;

import dev.caskwright.mvcc.RevisionTable.Entry;
import java.util.Arrays;
import java.util.Comparator;

/**
 * Sorts entries by their keys, as unsigned bytes: by the eight bytes after what all keys have in common, eleven bits at a time, and
 * those that agree in these by the next. Comparing keys would wait for memory twice for each of twenty comparisons.
 */
final class KeySort {
    private static final int DIGIT_BITS = 11;
    private static final int DIGITS = 1 << DIGIT_BITS;
    private static final int FEW = 64; // that many are compared
    private static final int MAX_DEPTH = 32; // then keys are compared: they agree in long parts
    private static final Comparator<Entry> BY_KEY = (left, right) -> Arrays.compareUnsigned(left.key, right.key);

    private KeySort() {}

    static void sort(Entry[] entries) {
        sort(entries, 0, entries.length, 0, 0);
    }

    /** Sorts a part whose keys agree in the first {@code known} bytes. */
    private static void sort(Entry[] entries, int from, int to, int known, int depth) {
        if (to - from <= FEW || depth == MAX_DEPTH) {
            Arrays.sort(entries, from, to, BY_KEY);
            return;
        }
        int common = commonPrefix(entries, from, to, known);
        long[] words = new long[to - from];
        for (int i = 0; i < words.length; i++) {
            words[i] = word(entries[from + i].key, common);
        }
        sortByWords(entries, from, words);
        for (int start = 0; start < words.length; ) {
            int end = start + 1;
            while (end < words.length && words[end] == words[start]) {
                end++;
            }
            if (end - start > 1) {
                // A key that is shorter agrees with one that has zeros there, so they may not agree in these bytes.
                sort(entries, from + start, from + end, common, depth + 1);
            }
            start = end;
        }
    }

    private static int commonPrefix(Entry[] entries, int from, int to, int known) {
        byte[] first = entries[from].key;
        int common = first.length;
        for (int i = from + 1; i < to; i++) {
            byte[] key = entries[i].key;
            int end = Math.min(common, key.length);
            int differs = Arrays.mismatch(first, known, end, key, known, end);
            common = differs < 0 ? end : known + differs;
        }
        return common;
    }

    /** Returns eight bytes of a key as a number, the first one highest, and zeros past its end. */
    private static long word(byte[] key, int at) {
        long word = 0;
        int end = Math.min(key.length, at + Long.BYTES);
        for (int i = at; i < end; i++) {
            word = word << Byte.SIZE | (key[i] & 0xFF);
        }
        int missing = at + Long.BYTES - Math.max(at, end);
        return missing == Long.BYTES ? 0 : word << missing * Byte.SIZE;
    }

    /** Sorts words and the entries that they belong to, digit by digit, the lowest first. */
    private static void sortByWords(Entry[] entries, int from, long[] words) {
        int count = words.length;
        long[] source = words;
        long[] target = new long[count];
        Entry[] sourceEntries = Arrays.copyOfRange(entries, from, from + count);
        Entry[] targetEntries = new Entry[count];
        int[] starts = new int[DIGITS];
        for (int shift = 0; shift < Long.SIZE; shift += DIGIT_BITS) {
            Arrays.fill(starts, 0);
            for (long word : source) {
                starts[(int) (word >>> shift) & DIGITS - 1]++;
            }
            if (starts[(int) (source[0] >>> shift) & DIGITS - 1] == count) {
                continue; // all have the same digit
            }
            int next = 0;
            for (int digit = 0; digit < DIGITS; digit++) {
                int many = starts[digit];
                starts[digit] = next;
                next += many;
            }
            for (int i = 0; i < count; i++) {
                int place = starts[(int) (source[i] >>> shift) & DIGITS - 1]++;
                target[place] = source[i];
                targetEntries[place] = sourceEntries[i];
            }
            long[] sorted = target;
            target = source;
            source = sorted;
            Entry[] sortedEntries = targetEntries;
            targetEntries = sourceEntries;
            sourceEntries = sortedEntries;
        }
        System.arraycopy(sourceEntries, 0, entries, from, count);
        System.arraycopy(source, 0, words, 0, count);
    }
}
