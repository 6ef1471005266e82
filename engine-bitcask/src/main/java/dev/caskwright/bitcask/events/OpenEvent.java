package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** The opening of a store, from its directory to the engine, or until it failed. */
@Name("dev.caskwright.Open")
@Label("Store Opening")
@Description("A store was opened, or could not be")
@Category("Caskwright")
@SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
public final class OpenEvent extends StoreEvent {
    @Label("Read-Only")
    @Description("Whether it was to be opened for reading only")
    private boolean readOnly;

    @Label("Succeeded")
    @Description("Whether it is open")
    private boolean succeeded;

    @Label("Keys")
    @Description("How many keys the index had when the store was open, without those that it loads later")
    private long keys;

    OpenEvent() {}

    /** Ends the event, and does not fail. */
    public void end(String directory, boolean isReadOnly, boolean isOpen, long keyCount) {
        try {
            end();
            if (shouldCommit()) {
                store = directory;
                readOnly = isReadOnly;
                succeeded = isOpen;
                keys = keyCount;
                commit();
            }
        } catch (OutOfMemoryError e) {
            // The event is lost: the store's work does not depend on it.
        }
    }
}
