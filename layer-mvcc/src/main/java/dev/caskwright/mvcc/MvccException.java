package dev.caskwright.mvcc;

import java.io.IOException;

/**
 * A request that the store refuses, or damage that it meets. Nothing was changed. The messages begin as those of etcd do.
 */
public final class MvccException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Why; stable, for programs to switch on. Named as etcd names them. */
    public enum Reason {
        /** The revision asked for is gone: a compaction to a later one took it. */
        COMPACTED("mvcc: required revision has been compacted"),
        /** The revision asked for does not exist yet. */
        FUTURE_REVISION("mvcc: required revision is a future revision"),
        /** There is no lease with that number. */
        LEASE_NOT_FOUND("requested lease not found"),
        /** There is a lease with that number already. */
        LEASE_EXISTS("lease already exists"),
        /** The time to live of a lease is longer than allowed. */
        LEASE_TTL_TOO_LARGE("too large lease TTL"),
        /** A key is empty. */
        EMPTY_KEY("key is not provided"),
        /** A transaction puts a key twice, or puts one that it deletes. */
        DUPLICATE_KEY("duplicate key given in txn request"),
        /** Keys and values are longer than allowed. */
        REQUEST_TOO_LARGE("request is too large"),
        /** A transaction has more operations than allowed. */
        TOO_MANY_OPERATIONS("too many operations in txn request"),
        /** The space is used up; deletes and compactions still work. */
        NO_SPACE("mvcc: database space exceeded"),
        /** The key whose value or lease is to be kept is not there. */
        KEY_NOT_FOUND("key not found"),
        /** No revision is left, or no version of a key: numbers of what is stored are at their end. */
        NUMBERS_USED_UP("no further revision can be made"),
        /** The file was written by a newer etcd. */
        NEWER_FORMAT("storage version is newer than this program knows"),
        /** Stored bytes are not what was written; the message names bucket, key and revision. */
        CORRUPT("mvcc: stored bytes are damaged");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        /** Returns what etcd says. */
        public String text() {
            return text;
        }
    }

    private final Reason reason;

    MvccException(Reason reason, String details) {
        super(reason.text() + ": " + details);
        this.reason = reason;
    }

    /** Returns why. */
    public Reason reason() {
        return reason;
    }
}
