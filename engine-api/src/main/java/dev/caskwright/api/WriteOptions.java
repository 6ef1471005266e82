package dev.caskwright.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How one write is done: its durability and its expiry. Immutable; make the few that a program needs once and share them.
 */
public final class WriteOptions {
    /** The store's own durability, no expiry. */
    public static final WriteOptions DEFAULT = new WriteOptions(null, Expiry.NONE, 0);

    /** Durability {@link Durability#NONE}, no expiry. */
    public static final WriteOptions NONE = DEFAULT.durability(Durability.NONE);

    /** Durability {@link Durability#WRITE}, no expiry. */
    public static final WriteOptions WRITE = DEFAULT.durability(Durability.WRITE);

    /** Durability {@link Durability#SYNC}, no expiry. */
    public static final WriteOptions SYNC = DEFAULT.durability(Durability.SYNC);

    private enum Expiry {
        NONE,
        AFTER,
        AT
    }

    private final @Nullable Durability durability;
    private final Expiry expiry;
    private final long millis;

    private WriteOptions(@Nullable Durability durability, Expiry expiry, long millis) {
        this.durability = durability;
        this.expiry = expiry;
        this.millis = millis;
    }

    /** Returns these options with the given durability in place of the store's. */
    public WriteOptions durability(Durability durability) {
        return new WriteOptions(Objects.requireNonNull(durability), expiry, millis);
    }

    /**
     * Returns these options with the entry expiring this long after the write, to the millisecond.
     *
     * @throws IllegalArgumentException if the time is not positive
     */
    public WriteOptions timeToLive(Duration timeToLive) {
        long asMillis = timeToLive.toMillis();
        if (asMillis <= 0) {
            throw new IllegalArgumentException("time to live must be at least 1 ms: " + timeToLive);
        }
        return new WriteOptions(durability, Expiry.AFTER, asMillis);
    }

    /** Returns these options with the entry expiring at the given moment, to the millisecond; it may have passed. */
    public WriteOptions expiresAt(Instant deadline) {
        long asMillis = deadline.toEpochMilli();
        if (asMillis <= 0) {
            throw new IllegalArgumentException("deadline must be after 1970-01-01T00:00:00Z: " + deadline);
        }
        return new WriteOptions(durability, Expiry.AT, asMillis);
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
            case AFTER -> millis > Long.MAX_VALUE - nowMillis ? Long.MAX_VALUE : nowMillis + millis;
        };
    }

    /** Returns whether the entry expires after a time to live, so that the time of the write matters. */
    public boolean isRelativeExpiry() {
        return expiry == Expiry.AFTER;
    }
}
