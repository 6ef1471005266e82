package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/** One force of the log, for all who waited for it. */
@Name("dev.caskwright.Force")
@Label("Group Commit")
@Description("The log was forced to disk, once for all who waited for that")
@Category("Caskwright")
@StackTrace(false)
@Threshold("10 ms")
@SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
public final class ForceEvent extends StoreEvent {
    @Label("Waiting Threads")
    @Description("How many threads shared the force")
    private int waitingThreads;

    @Label("Succeeded")
    @Description("Whether the log is durable; if not, the store takes no more writes")
    private boolean succeeded;

    ForceEvent() {}

    /** Ends the event, and does not fail. */
    public void end(String directory, int members, boolean isForced) {
        try {
            end();
            if (shouldCommit()) {
                store = directory;
                waitingThreads = members;
                succeeded = isForced;
                commit();
            }
        } catch (OutOfMemoryError e) {
            // The event is lost: the store's work does not depend on it.
        }
    }
}
