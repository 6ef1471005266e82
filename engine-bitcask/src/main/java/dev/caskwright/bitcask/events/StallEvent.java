package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** A time in which a writer could not go on, for another reason than a force that it asked for. */
@Name("dev.caskwright.WriterStall")
@Label("Writer Stall")
@Description("A writer had to wait, for something other than a force that it asked for")
@Category("Caskwright")
@Threshold("10 ms")
@SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
public final class StallEvent extends StoreEvent {
    /** The writer waited until other writers, or a merge, let go of the write lock. */
    public static final String LOCK = "write lock";

    /** The writer went on to another data file, and other writers waited for it. */
    public static final String NEW_FILE = "new data file";

    /** As {@link #NEW_FILE}, and had to seal older ones itself, since too many waited for that. */
    public static final String SEALING = "sealing of data files";

    /** The writer was slowed down, since merges give back less than is written. */
    public static final String PACE = "merges";

    @Label("Reason")
    @Description("What the writer waited for: the write lock, a new data file, the sealing of data files, or merges")
    private String reason = "";

    StallEvent() {}

    /** Ends the event, and does not fail. */
    public void end(String directory, String what) {
        try {
            end();
            if (shouldCommit()) {
                store = directory;
                reason = what;
                commit();
            }
        } catch (OutOfMemoryError e) {
            // The event is lost: the store's work does not depend on it.
        }
    }
}
