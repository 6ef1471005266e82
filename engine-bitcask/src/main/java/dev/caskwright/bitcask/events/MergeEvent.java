package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A merge of some files, of which what is live goes into others. */
@Name("dev.caskwright.Merge")
@Label("Merge")
@Description("What is live in some data files was copied to new ones; a merge of many files is several of these")
@Category("Caskwright")
@StackTrace(false)
@SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
public final class MergeEvent extends StoreEvent {
    @Label("Input Files")
    @Description("How many data files were merged")
    private int inputFiles;

    @Label("Input Size")
    @Description("How long these were together")
    @DataAmount
    private long inputBytes;

    @Label("Output Files")
    @Description("How many data files there are in their place; none if nothing in them was needed")
    private int outputFiles;

    @Label("Output Size")
    @Description("How long these are together")
    @DataAmount
    private long outputBytes;

    @Label("Succeeded")
    @Description("Whether it took place; if not, it was cancelled or failed, and the inputs stay")
    private boolean succeeded;

    MergeEvent() {}

    /** Ends the event, and does not fail. */
    public void end(String directory, int inputs, long bytesBefore, int outputs, long bytesAfter, boolean isDone) {
        try {
            end();
            if (shouldCommit()) {
                store = directory;
                inputFiles = inputs;
                inputBytes = bytesBefore;
                outputFiles = outputs;
                outputBytes = bytesAfter;
                succeeded = isDone;
                commit();
            }
        } catch (OutOfMemoryError e) {
            // The event is lost: the store's work does not depend on it.
        }
    }
}
