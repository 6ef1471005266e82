package dev.caskwright.mvcc;

import java.util.Arrays;

/**
 * Compares something of each key of a range with a number or bytes. Of a key that is absent all numbers are 0, and its value
 * compares with nothing.
 *
 * @param target what is compared
 * @param relation how it must compare
 * @param number what numbers are compared with
 * @param bytes what values are compared with
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Comparison(KeyRange range, Target target, Relation relation, long number, byte[] bytes) {
    /** What is compared. */
    public enum Target {
        /** How often the key was put. */
        VERSION,
        /** The revision that created the key. */
        CREATE_REVISION,
        /** The revision that put the value. */
        MOD_REVISION,
        /** The value. */
        VALUE,
        /** The lease. */
        LEASE
    }

    /** How it must compare. */
    public enum Relation {
        EQUAL,
        NOT_EQUAL,
        GREATER,
        LESS;

        boolean holds(int order) {
            return switch (this) {
                case EQUAL -> order == 0;
                case NOT_EQUAL -> order != 0;
                case GREATER -> order > 0;
                case LESS -> order < 0;
            };
        }
    }

    /** Compares a number of a key. */
    public static Comparison of(byte[] key, Target target, Relation relation, long number) {
        if (target == Target.VALUE) {
            throw new IllegalArgumentException("a value is compared with bytes");
        }
        return new Comparison(KeyRange.of(key), target, relation, number, new byte[0]);
    }

    /** Compares the value of a key. */
    public static Comparison ofValue(byte[] key, Relation relation, byte[] value) {
        return new Comparison(KeyRange.of(key), Target.VALUE, relation, 0, value.clone());
    }

    /** Holds if a key is absent. */
    public static Comparison isAbsent(byte[] key) {
        return of(key, Target.CREATE_REVISION, Relation.EQUAL, 0);
    }

    boolean holdsForAbsent() {
        return target != Target.VALUE && relation.holds(Long.compare(0, number));
    }

    boolean holds(KeyValue entry) {
        return relation.holds(
                switch (target) {
                    case VERSION -> Long.compare(entry.version(), number);
                    case CREATE_REVISION -> Long.compare(entry.createRevision(), number);
                    case MOD_REVISION -> Long.compare(entry.modRevision(), number);
                    case VALUE -> Arrays.compareUnsigned(entry.value(), bytes);
                    case LEASE -> Long.compare(entry.lease(), number);
                });
    }
}
