package dev.caskwright.cli;

/**
 * What {@code doctor} says of one thing.
 *
 * @param about what was looked at
 * @param what what was found, and what to do, if anything
 */
record Diagnosis(Verdict verdict, String about, String what) {
    /** Whether there is something to do. */
    enum Verdict {
        OK("ok"),
        /** Worth knowing, or good to have in some cases. */
        NOTE("note"),
        CHANGE("CHANGE");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    static Diagnosis ok(String about, String what) {
        return new Diagnosis(Verdict.OK, about, what);
    }

    static Diagnosis note(String about, String what) {
        return new Diagnosis(Verdict.NOTE, about, what);
    }

    static Diagnosis change(String about, String what) {
        return new Diagnosis(Verdict.CHANGE, about, what);
    }
}
