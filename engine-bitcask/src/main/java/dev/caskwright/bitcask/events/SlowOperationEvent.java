package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Threshold;

/** A call of a store that took longer than the threshold. Off by default: it costs a get a tenth of its time. */
@Name("dev.caskwright.SlowOperation")
@Label("Slow Operation")
@Description("A call of a store took longer than the threshold, waits for locks and forces included")
@Category("Caskwright")
@Enabled(false)
@Threshold("20 ms")
@SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
public final class SlowOperationEvent extends StoreEvent {
    @Label("Operation")
    @Description("What was called")
    private String operation = "";

    SlowOperationEvent() {}

    /** Ends the event, and does not fail. */
    public void end(String directory, String call) {
        try {
            end();
            if (shouldCommit()) {
                store = directory;
                operation = call;
                commit();
            }
        } catch (OutOfMemoryError e) {
            // The event is lost: the store's work does not depend on it.
        }
    }
}
