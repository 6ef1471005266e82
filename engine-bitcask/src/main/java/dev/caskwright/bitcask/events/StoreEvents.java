package dev.caskwright.bitcask.events;

import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/**
 * Begins events of Java Flight Recorder. Each is null unless a recording wants it: then nothing is allocated and no clock is read.
 *
 * <p>A runtime may lack the module {@code jdk.jfr}, so no class of it is loaded before its presence is known; and no class of events
 * before there was a recording, even of something else. To ask whether an event is wanted takes an object of its class; one is kept of
 * each, which neither starts nor ends.
 *
 * <p><b>Threads.</b> Any. An event belongs to the thread that began it.
 */
public final class StoreEvents {
    private static final boolean IS_THERE =
            ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private StoreEvents() {}

    /** For asking whether events are wanted. A class of events that is loaded starts the Flight Recorder, which takes a JVM 50 ms. */
    private static final class Asked {
        static final OpenEvent OPEN = new OpenEvent();
        static final RecoveryEvent RECOVERY = new RecoveryEvent();
        static final MergeEvent MERGE = new MergeEvent();
        static final ForceEvent FORCE = new ForceEvent();
        static final StallEvent STALL = new StallEvent();
        static final SlowOperationEvent OPERATION = new SlowOperationEvent();
    }

    private static boolean isRecorderUp() {
        return IS_THERE && FlightRecorder.isInitialized();
    }

    /** Begins the opening of a store. */
    public static @Nullable OpenEvent open() {
        if (!isRecorderUp()) {
            return null;
        }
        try {
            if (!Asked.OPEN.isEnabled()) {
                return null;
            }
            OpenEvent event = new OpenEvent();
            event.begin();
            return event;
        } catch (OutOfMemoryError | LinkageError e) {
            return null; // the store's work does not depend on events
        }
    }

    /** Begins a recovery. */
    public static @Nullable RecoveryEvent recovery() {
        if (!isRecorderUp()) {
            return null;
        }
        try {
            if (!Asked.RECOVERY.isEnabled()) {
                return null;
            }
            RecoveryEvent event = new RecoveryEvent();
            event.begin();
            return event;
        } catch (OutOfMemoryError | LinkageError e) {
            return null; // the store's work does not depend on events
        }
    }

    /** Begins a merge of some files. */
    public static @Nullable MergeEvent merge() {
        if (!isRecorderUp()) {
            return null;
        }
        try {
            if (!Asked.MERGE.isEnabled()) {
                return null;
            }
            MergeEvent event = new MergeEvent();
            event.begin();
            return event;
        } catch (OutOfMemoryError | LinkageError e) {
            return null; // the store's work does not depend on events
        }
    }

    /** Begins a force of the log. */
    public static @Nullable ForceEvent force() {
        if (!isRecorderUp()) {
            return null;
        }
        try {
            if (!Asked.FORCE.isEnabled()) {
                return null;
            }
            ForceEvent event = new ForceEvent();
            event.begin();
            return event;
        } catch (OutOfMemoryError | LinkageError e) {
            return null; // the store's work does not depend on events
        }
    }

    /** Begins a time in which writers wait. */
    public static @Nullable StallEvent stall() {
        if (!isRecorderUp()) {
            return null;
        }
        try {
            if (!Asked.STALL.isEnabled()) {
                return null;
            }
            StallEvent event = new StallEvent();
            event.begin();
            return event;
        } catch (OutOfMemoryError | LinkageError e) {
            return null; // the store's work does not depend on events
        }
    }

    /** Begins an operation that may turn out to be slow. */
    public static @Nullable SlowOperationEvent operation() {
        if (!isRecorderUp()) {
            return null;
        }
        try {
            if (!Asked.OPERATION.isEnabled()) {
                return null;
            }
            SlowOperationEvent event = new SlowOperationEvent();
            event.begin();
            return event;
        } catch (OutOfMemoryError | LinkageError e) {
            return null; // the store's work does not depend on events
        }
    }
}
