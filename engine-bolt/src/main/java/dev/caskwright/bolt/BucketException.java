package dev.caskwright.bolt;

/** A call asked for something that the kind of a key forbids: a value under a bucket's name, or a bucket that is not there. */
public final class BucketException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** What is in the way. */
    public enum Reason {
        /** There is no bucket of that name. */
        NOT_FOUND,
        /** There is a bucket of that name already. */
        EXISTS,
        /** The key has a value, so no bucket can have that name; or it has a bucket, so it can have no value. */
        INCOMPATIBLE_VALUE
    }

    private final Reason reason;

    BucketException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** Returns what is in the way. */
    public Reason reason() {
        return reason;
    }
}
