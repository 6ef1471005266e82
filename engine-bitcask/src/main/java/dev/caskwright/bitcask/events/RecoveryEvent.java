package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The part of an opening in which the log is read, its torn end cut off, and the key index filled. */
@Name("dev.caskwright.Recovery")
@Label("Store Recovery")
@Description("The log of a store was read, and its key index filled")
@Category("Caskwright")
@StackTrace(false)
@SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
public final class RecoveryEvent extends StoreEvent {
    @Label("From Image")
    @Description("Whether the key index was loaded from an image")
    private boolean fromImage;

    @Label("Replayed Records")
    @Description("How many entries of the log were read to fill the key index, or to bring its image up to date")
    private long replayedRecords;

    @Label("Torn Bytes")
    @Description("How many bytes after the last whole record were cut off")
    @DataAmount
    private long tornBytes;

    @Label("Files")
    @Description("How many data files the log has")
    private int files;

    RecoveryEvent() {}

    /** Ends the event, and does not fail. */
    public void end(String directory, boolean isImageLoaded, long replayed, long bytesCut, int fileCount) {
        try {
            end();
            if (shouldCommit()) {
                store = directory;
                fromImage = isImageLoaded;
                replayedRecords = replayed;
                tornBytes = bytesCut;
                files = fileCount;
                commit();
            }
        } catch (OutOfMemoryError e) {
            // The event is lost: the store's work does not depend on it.
        }
    }
}
