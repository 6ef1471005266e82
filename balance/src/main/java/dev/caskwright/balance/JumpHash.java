package dev.caskwright.balance;

/** Maps keys to numbered buckets so that one bucket more moves only the keys that go to it. */
final class JumpHash {
    private static final long MULTIPLIER = 2862933555777941757L;

    private JumpHash() {}

    static int bucket(long key, int buckets) {
        long state = key;
        long bucket = -1;
        long next = 0;
        while (next < buckets) {
            bucket = next;
            state = state * MULTIPLIER + 1;
            next = (long) ((bucket + 1) * ((double) (1L << 31) / ((state >>> 33) + 1)));
        }
        return (int) bucket;
    }
}
