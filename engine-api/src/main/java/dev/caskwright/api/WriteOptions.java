package dev.caskwright.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How one write is done: its durability, its expiry and the codec of its value. Options without an expiry make the key persist, also if it would
 * have expired. Immutable; make the few that a program needs once and share them.
 */
public final class WriteOptions {
    /** The store's own durability, no expiry. */
    public static final WriteOptions DEFAULT = new WriteOptions(null, Expiry.NONE, 0, null);

    /** Durability {@link Durability#NONE}, no expiry. */
    public static final WriteOptions NONE = DEFAULT.durability(Durability.NONE);

    /** Durability {@link Durability#WRITE}, no expiry. */
    public static final WriteOptions WRITE = DEFAULT.durability(Durability.WRITE);

    /** Durability {@link Durability#SYNC}, no expiry. */
    public static final WriteOptions SYNC = DEFAULT.durability(Durability.SYNC);

    private static final Duration SHORTEST = Duration.ofMillis(1);
    private static final Duration LONGEST = Duration.ofMillis(Long.MAX_VALUE);
    private static final Instant FIRST = Instant.ofEpochMilli(1);
    private static final Instant LAST = Instant.ofEpochMilli(Long.MAX_VALUE);

    private enum Expiry {
        NONE,
        AFTER,
        AT
    }

    private final @Nullable Durability durability;
    private final Expiry expiry;
    private final long millis;
    private final @Nullable String codec;

    private WriteOptions(@Nullable Durability durability, Expiry expiry, long millis, @Nullable String codec) {
        this.durability = durability;
        this.expiry = expiry;
        this.millis = millis;
        this.codec = codec;
    }

    /** Returns these options with the given durability in place of the store's. */
    public WriteOptions durability(Durability durability) {
        return new WriteOptions(Objects.requireNonNull(durability, "durability"), expiry, millis, codec);
    }

    /**
     * Returns these options with the entry expiring this long after the write, to the millisecond. A time that is longer than
     * milliseconds can count is as long as they can.
     *
     * @throws IllegalArgumentException if the time is less than a millisecond
     */
    public WriteOptions timeToLive(Duration timeToLive) {
        Objects.requireNonNull(timeToLive, "timeToLive");
        if (timeToLive.compareTo(SHORTEST) < 0) {
            throw new IllegalArgumentException("time to live must be at least 1 ms: " + timeToLive);
        }
        long asMillis = timeToLive.compareTo(LONGEST) >= 0 ? Long.MAX_VALUE : timeToLive.toMillis();
        return new WriteOptions(durability, Expiry.AFTER, asMillis, codec);
    }

    /**
     * Returns these options with the entry expiring at the given moment, to the millisecond; it may have passed. A moment
     * that is later than milliseconds can count is the last one that they can.
     *
     * @throws IllegalArgumentException if the moment is not at least a millisecond after 1970-01-01T00:00:00Z
     */
    public WriteOptions expiresAt(Instant deadline) {
        Objects.requireNonNull(deadline, "deadline");
        if (deadline.isBefore(FIRST)) {
            throw new IllegalArgumentException(
                    "deadline must be at least 1 ms after 1970-01-01T00:00:00Z: " + deadline);
        }
        long asMillis = deadline.isBefore(LAST) ? deadline.toEpochMilli() : Long.MAX_VALUE;
        return new WriteOptions(durability, Expiry.AT, asMillis, codec);
    }

    /**
     * Returns these options with the value stored by the codec of a name in place of the store's, or with {@link
     * dev.caskwright.api.spi.codec.ValueCodec#NONE} as it is. Readers see the same value either way; an engine that knows no codecs
     * stores it as it always does. If there is no codec of that name, the write is refused with an {@link
     * IllegalArgumentException}.
     */
    public WriteOptions codec(String name) {
        return new WriteOptions(durability, expiry, millis, Objects.requireNonNull(name, "name"));
    }

    /** Returns the name of the codec asked for, or null for the store's. */
    public @Nullable String codec() {
        return codec;
    }

    /** Returns the durability asked for, or the store's. */
    public Durability durabilityOr(Durability storeDefault) {
        return durability == null ? storeDefault : durability;
    }

    /** Returns the moment of expiry in milliseconds since 1970, or {@link Entry#NEVER}, for a write at {@code nowMillis}. */
    public long expiresAtMillis(long nowMillis) {
        return switch (expiry) {
            case NONE -> Entry.NEVER;
            case AT -> millis;
            case AFTER -> after(nowMillis);
        };
    }

    private long after(long nowMillis) {
        if (nowMillis > 0 && millis > Long.MAX_VALUE - nowMillis) {
            return Long.MAX_VALUE;
        }
        // A clock before 1970 would give a moment that no record can hold, or that means never.
        return Math.max(1, nowMillis + millis);
    }

    /** Returns whether the entry expires at all. An engine that does not hold {@link dev.caskwright.api.Expiry} refuses it. */
    public boolean hasExpiry() {
        return expiry != Expiry.NONE;
    }

    /** Returns whether the entry expires after a time to live, so that the time of the write matters. */
    public boolean isRelativeExpiry() {
        return expiry == Expiry.AFTER;
    }
}
