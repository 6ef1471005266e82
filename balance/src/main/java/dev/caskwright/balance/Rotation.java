package dev.caskwright.balance;

import java.util.concurrent.atomic.AtomicLong;

/** Goes round a sequence of endpoints; any number of threads share one counter. */
final class Rotation<K> implements Strategy.Chooser<K> {
    private static final long ABOUT_MOST = 1L << 62;

    private final Endpoint[] sequence;
    private final AtomicLong counter;
    private final long rounds; // a multiple of the sequence's length: going back by it changes nobody's turn

    Rotation(Endpoint[] sequence, long start) {
        this.sequence = sequence;
        this.rounds = ABOUT_MOST / sequence.length * sequence.length;
        this.counter = new AtomicLong(start);
    }

    /** Makes a rotation that starts at a random place. */
    static <K> Rotation<K> from(Endpoint[] sequence, long random) {
        return new Rotation<>(sequence, Math.floorMod(random, (long) sequence.length));
    }

    /** Makes a rotation whose counter is about to go back, for tests. */
    static <K> Rotation<K> nearItsEnd(Endpoint[] sequence) {
        Rotation<K> rotation = new Rotation<>(sequence, 0);
        rotation.counter.set(rotation.rounds - 3);
        return rotation;
    }

    long counter() {
        return counter.get();
    }

    @Override
    public Endpoint choose(K key) {
        long number = counter.getAndIncrement();
        if (number >= rounds) {
            counter.compareAndSet(
                    number + 1, number + 1 - rounds); // if another thread was quicker, it does so, or the next
        }
        return sequence[(int) (number % sequence.length)];
    }
}
