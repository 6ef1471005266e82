package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;

/**
 * Whatever has figures in a report: a store, or a bare limit.
 *
 * @param tag what a put survives where nothing is forced, in a word; empty for a limit
 * @param note settings, or what the limit is
 */
record Subject(String id, String label, Kind kind, String tag, String version, String note) {
    /** How a subject is drawn. */
    enum Kind {
        /** Our engine. */
        OURS,
        /** Another store. */
        PEER,
        /** No store: a bare limit, or a map on the heap. */
        LIMIT
    }

    static Subject of(String id) {
        for (RawLimit limit : RawLimit.values()) {
            if (limit.id().equals(id)) {
                return new Subject(id, limit.label(), Kind.LIMIT, "", "JDK", "no store: what the machine can do");
            }
        }
        Contender contender = Contender.of(id);
        Kind kind = contender.isOurs() ? Kind.OURS : contender == Contender.HEAP_MAP ? Kind.LIMIT : Kind.PEER;
        String tag = contender.level() == Durability.WRITE ? "WRITE" : "NONE";
        return new Subject(id, contender.label(), kind, tag, contender.version(), contender.settings());
    }

    /** Returns the label with our name before it where the engine is ours. */
    String fullLabel() {
        return kind == Kind.OURS ? "Caskwright " + label : label;
    }
}
