package dev.caskwright.api.spi.log;

import java.io.IOException;
import java.util.function.Supplier;

/** What a log keeps of the engine's clock. Safe for any number of threads. */
public interface ClockNotes {
    /** The greatest count of longs in a note. */
    int MAX_LONGS = 62;

    /** Returns the last note; empty if there is none. */
    long[] clockNote();

    /**
     * Keeps a note of up to {@value #MAX_LONGS} longs in place of the one before, so that it survives the death of the process.
     * Takes the same space however often it is called, and waits for no force.
     *
     * @param latest returns the note; it is asked when the note is written, so that the last one written is the latest
     */
    void noteClock(Supplier<long[]> latest) throws IOException;
}
