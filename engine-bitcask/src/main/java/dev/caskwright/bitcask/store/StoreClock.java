package dev.caskwright.bitcask.store;

import dev.caskwright.api.Entry;
import dev.caskwright.api.spi.log.ClockNotes;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store's time: that of the injected clock, which is believed as it is, whichever way it jumps. It decides alone what
 * has expired, with one exception: an entry that somebody was told to be absent for its expiry stays absent, even if the
 * clock goes back before that, or the store is opened again ({@link ToldExpiries}). That is on disk, for all but the loss
 * of power, before the first reader is told.
 *
 * <p>So a clock that is wrong for a while takes no time from entries that nobody asked for meanwhile, and none from those
 * that are written later. What cannot be undone, the removal of expired entries by merges, goes by the clock only as far
 * as it is in step with the processor's: a day more than has passed since it was, see {@link #removableMillis}.
 *
 * <p>Safe for any number of threads. Reading takes no lock and waits for nobody.
 */
public final class StoreClock {
    /** By how much the clock may be ahead of what has passed and be in step; a longer jump is reported. */
    private static final long TOLERANCE_MILLIS = 60_000;

    private static final long DAY_MILLIS = TimeUnit.DAYS.toMillis(1);

    /** A note begins with so many times. */
    private static final int NOTED_TIMES = 2;

    /** After this long, a clock that jumped forwards is taken to be right, and to have been wrong before. */
    private static final long BELIEVED_AFTER_MILLIS = TimeUnit.MINUTES.toMillis(10);

    /**
     * A reading that was in step; and if later ones have not been, since when, and the first of them. That may be from an
     * opening before.
     */
    private record InStep(long millis, long nanos, long aheadSince, long firstAhead) {}

    private final InstantSource source;
    private final LongSupplier nanoTime;
    private final ClockNotes notes;
    private final boolean readOnly;
    private final AtomicReference<ToldExpiries> told;
    private volatile ToldExpiries noted; // what is on disk of it, at least
    private final AtomicReference<InStep> inStep;
    private final AtomicLong jumps = new AtomicLong();
    private volatile boolean isBehind;
    private volatile boolean warned;
    private volatile LongSupplier lastVersion = () -> 0;

    public StoreClock(InstantSource source, ClockNotes notes, boolean readOnly) {
        this(source, System::nanoTime, notes, readOnly);
    }

    public StoreClock(InstantSource source, LongSupplier nanoTime, ClockNotes notes, boolean readOnly) {
        this.source = source;
        this.nanoTime = nanoTime;
        this.notes = notes;
        this.readOnly = readOnly;
        long[] note = notes.clockNote();
        long now = source.millis();
        long nanos = nanoTime.getAsLong();
        this.inStep = new AtomicReference<>(atOpening(note, now, nanos));
        ToldExpiries fromNote = note.length < NOTED_TIMES
                ? ToldExpiries.NONE
                : ToldExpiries.ofLongs(Arrays.copyOfRange(note, NOTED_TIMES, note.length));
        this.told = new AtomicReference<>(fromNote);
        this.noted = fromNote;
        if (fromNote != ToldExpiries.NONE) {
            noteBehind(now, fromNote.greatestExpiry());
        }
    }

    /**
     * How long the store was closed nobody knows but the clock, which may be wrong today. So the first reading that is ahead
     * is noted. If a later opening is ten minutes beyond it, it is believed: or a store that is never open for that long
     * would never believe any.
     */
    private static InStep atOpening(long[] note, long now, long nanos) {
        if (note.length < NOTED_TIMES) {
            return new InStep(now, nanos, 0, 0);
        }
        long step = Math.min(note[0], now);
        long ahead = note[1];
        boolean isAheadStill = ahead > step && ahead <= now;
        if (isAheadStill && now - ahead >= BELIEVED_AFTER_MILLIS) {
            step = ahead;
            isAheadStill = false;
        }
        return isInStep(now, step)
                ? new InStep(step, nanos, 0, 0)
                : new InStep(step, nanos, nanos | 1, isAheadStill ? ahead : now);
    }

    private static boolean isInStep(long reading, long expected) {
        return reading <= expected || reading - TOLERANCE_MILLIS <= expected;
    }

    /** Sets where the version of the last write is found; any that a reader has seen is at most that. */
    void followVersions(LongSupplier version) {
        lastVersion = version;
    }

    /** Forgets which entries were told to have expired. */
    public void forgetTold() {
        told.set(ToldExpiries.NONE);
        noted = ToldExpiries.NONE;
    }

    /** Notes how far the clock has come in step, and what was told. When the store is opened, and when it is closed. */
    public void note() {
        if (readOnly) {
            return;
        }
        ToldExpiries before = told();
        try {
            notes.noteClock(this::longs);
            noted = before; // at least; what is told meanwhile is noted by whoever tells it
        } catch (IOException | RuntimeException | Error e) {
            // Reads go on when the disk has failed, or memory is short. It holds in memory, and what is told next tries
            // again. Only a restart before that, with a clock set back, could show an expired entry once more.
            if (!warned) {
                warned = true;
                logger().warn(
                                "what has expired could not be noted, will try again with the next expiry: {}",
                                e.toString());
            }
        }
    }

    /** Returns what a copy of the store is to know of its clock. */
    public long[] longs() {
        long reading = source.millis();
        stepMillis(reading);
        InStep step = inStep();
        long[] expiries = told().toLongs();
        long[] longs = new long[NOTED_TIMES + expiries.length];
        longs[0] = step.aheadSince == 0 ? reading : step.millis;
        longs[1] = step.aheadSince == 0 ? 0 : Math.min(reading, step.firstAhead);
        System.arraycopy(expiries, 0, longs, NOTED_TIMES, expiries.length);
        return longs;
    }

    public long nowMillis() {
        return source.millis();
    }

    /** Returns which entries were told to have expired until now. */
    ToldExpiries told() {
        return Objects.requireNonNull(told.get());
    }

    private InStep inStep() {
        return Objects.requireNonNull(inStep.get());
    }

    /** Returns how often the clock was seen to jump by more than a minute, forwards or back. */
    public long jumps() {
        return jumps.get();
    }

    /** Returns whether an entry has expired; if so, now and for ever. */
    public boolean hasPassed(long expiresAtMillis, long version) {
        if (expiresAtMillis == Entry.NEVER) {
            return false;
        }
        long now = source.millis();
        if (expiresAtMillis > now) {
            return isTold(expiresAtMillis, version, now);
        }
        tell(expiresAtMillis, version, now);
        return true;
    }

    private boolean isTold(long expiresAtMillis, long version, long now) {
        ToldExpiries current = told();
        if (expiresAtMillis > current.greatestExpiry()) {
            return false;
        }
        noteBehind(now, current.greatestExpiry());
        boolean isTold = current.covers(expiresAtMillis, version);
        if (isTold) {
            ensureNoted(expiresAtMillis, version);
        }
        return isTold;
    }

    /**
     * Returns whether an entry had expired at a moment; if so, for ever.
     *
     * @param then what had been told at that moment
     */
    boolean hadPassed(long expiresAtMillis, long version, long momentMillis, ToldExpiries then) {
        if (expiresAtMillis == Entry.NEVER) {
            return false;
        }
        if (expiresAtMillis > momentMillis) {
            return then.covers(expiresAtMillis, version);
        }
        tell(expiresAtMillis, version, source.millis()); // which may be before the moment by now
        return true;
    }

    /**
     * Returns up to which expiry entries may be removed for good. If the clock has jumped ahead, by more than a day beyond
     * what has passed since it was in step, that is not its time until it has stayed there for ten minutes. The same holds
     * for a store that was closed for longer than a day.
     */
    public long removableMillis() {
        long now = source.millis();
        return Math.min(now, stepMillis(now) + DAY_MILLIS);
    }

    /** Returns whether an entry may be removed for good: it was told to have expired, or may be told so. */
    public boolean isRemovable(long expiresAtMillis, long version, long removableMillis) {
        return expiresAtMillis != Entry.NEVER
                && (expiresAtMillis <= removableMillis || told().covers(expiresAtMillis, version));
    }

    /** Notes what is told if the note of whoever told it first is not written yet: nobody is told before it is. */
    private void ensureNoted(long expiresAtMillis, long version) {
        if (!noted.covers(expiresAtMillis, version)) {
            note();
        }
    }

    private void tell(long expiresAtMillis, long version, long now) {
        ToldExpiries before = told();
        if (isBehind) {
            noteBehind(now, before.greatestExpiry());
        }
        if (before.covers(expiresAtMillis, version)) {
            ensureNoted(expiresAtMillis, version);
            return;
        }
        long step = stepMillis(now);
        ToldExpiries fresh;
        do {
            before = told();
            long last = Math.max(version, lastVersion.getAsLong());
            fresh = expiresAtMillis <= step
                    ? before.withMark(step, last)
                    : before.withNamed(expiresAtMillis, version, last, now);
        } while (!told.compareAndSet(before, fresh));
        note();
    }

    /** Returns a reading of the clock, or if it has jumped ahead, where it would be had it not. */
    private long stepMillis(long reading) {
        while (true) {
            InStep last = inStep();
            long nanos = nanoTime.getAsLong();
            long expected = last.millis + TimeUnit.NANOSECONDS.toMillis(nanos - last.nanos);
            boolean isInStep = isInStep(reading, expected);
            boolean isBelieved = last.aheadSince != 0
                    && nanos - last.aheadSince >= TimeUnit.MILLISECONDS.toNanos(BELIEVED_AFTER_MILLIS);
            boolean isBehindStep = reading < expected - TOLERANCE_MILLIS;
            if (isInStep && reading <= expected && !isBehindStep && last.aheadSince == 0) {
                return reading; // no later than was expected: nothing to note
            }
            InStep next = isInStep || isBelieved
                    ? new InStep(reading, nanos, 0, 0)
                    : last.aheadSince == 0 ? new InStep(last.millis, last.nanos, nanos | 1, reading) : last;
            if (next.equals(last) || inStep.compareAndSet(last, next)) {
                if (next.aheadSince != 0 && last.aheadSince == 0) {
                    reportAhead(reading, expected);
                }
                return next.aheadSince == 0 ? reading : Math.min(reading, expected);
            }
        }
    }

    private void reportAhead(long reading, long expected) {
        jumps.incrementAndGet();
        logger().warn(
                        "the clock has jumped ahead by {} ms: what expires meanwhile is absent, but merges do not remove it"
                                + " before the clock has stayed there for {} ms",
                        reading - expected,
                        BELIEVED_AFTER_MILLIS);
    }

    private void noteBehind(long now, long greatestExpiry) {
        boolean behind = greatestExpiry - now > TOLERANCE_MILLIS;
        if (behind != isBehind) {
            isBehind = behind;
            if (behind) {
                jumps.incrementAndGet();
                logger().warn(
                                "the clock is {} ms behind the latest expiry that was told: entries that were told to have"
                                        + " expired stay absent, others go by the clock",
                                greatestExpiry - now);
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(StoreClock.class);
    }
}
