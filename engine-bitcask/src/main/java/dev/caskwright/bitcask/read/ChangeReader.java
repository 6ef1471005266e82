package dev.caskwright.bitcask.read;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads changes out of the files that writers wrote: there they lie in the order of their versions. What a merge has
 * rewritten has lost its order, so changes are gone up to the last one in any file merged so far.
 */
public final class ChangeReader {
    private final Store store;
    private final Snapshots.Handle snapshot;
    private final ChangeVisitor visitor;
    private ChangeVisitor.@Nullable Change held;
    private Moment visited;
    private long history; // of the file that is read

    private ChangeReader(Store store, Snapshots.Handle snapshot, Moment after, ChangeVisitor visitor) {
        this.store = store;
        this.snapshot = snapshot;
        this.visitor = visitor;
        this.visited = after;
    }

    /** Visits the changes after a moment, be it of this store or not. */
    public static long visit(Store store, long version, ChangeVisitor visitor) throws IOException {
        return visit(store, new Moment(0, version), visitor, false).version();
    }

    /** Visits the changes after a moment of this store. */
    public static Moment visit(Store store, Moment after, ChangeVisitor visitor) throws IOException {
        return visit(store, after, visitor, true);
    }

    private static Moment visit(Store store, Moment after, ChangeVisitor visitor, boolean isOfThisStore)
            throws IOException {
        // The snapshot keeps files that a merge replaces meanwhile, and bounds what is visited.
        Snapshots.Handle snapshot = store.snapshots.openForCall();
        try {
            if (isOfThisStore) {
                requireMoment(store, snapshot, after);
            }
            return new ChangeReader(store, snapshot, after, visitor).run(after.version());
        } finally {
            store.snapshots.close(snapshot);
        }
    }

    /** Returns the moment after the last write. */
    public static Moment last(Store store) throws IOException {
        store.writeLock.lock();
        try {
            store.checkOpen();
            return moment(store, store.lastVersion());
        } finally {
            store.writeLock.unlock();
        }
    }

    private static Moment moment(Store store, long version) {
        return version == 0 ? Moment.START : new Moment(store.log.historyOf(version), version);
    }

    private static void requireMoment(Store store, Snapshots.Handle snapshot, Moment after) throws EngineException {
        if (after.version() == 0) {
            return; // all begin there
        }
        boolean hasBeenThere = after.history() != 0
                && after.version() <= snapshot.version
                && store.log.historyOf(after.version()) == after.history();
        if (!hasBeenThere) {
            throw gone("this store has not been at the moment asked after, it is of another history: asked after "
                    + after + ", last here: " + moment(store, snapshot.version));
        }
    }

    private static EngineException gone(String what) {
        return new EngineException(
                ErrorCode.CHANGES_GONE,
                Outcome.NOT_APPLIED,
                what + "; copy the store and go on from the copy's moment",
                null);
    }

    private Moment run(long version) throws IOException {
        long from = store.log.changesFrom();
        if (version < from) {
            throw gone("changes are gone: asked after version=" + version + ", kept after version=" + from);
        }
        List<LogSegment> files = new ArrayList<>();
        for (LogSegment file : snapshot.files) {
            if (file != null && !file.isMerged() && file.lastVersion() > version && snapshot.covers(file)) {
                files.add(file);
            }
        }
        files.sort(Comparator.comparingLong(LogSegment::id));
        for (LogSegment file : files) {
            if (!visitFile(file, version)) {
                return visited;
            }
        }
        return visited;
    }

    private boolean visitFile(LogSegment file, long version) throws IOException {
        RecordScanner scanner = store.log.scan(file, snapshot.end(file));
        history = store.log.historyOf(file.lastVersion());
        while (next(scanner)) {
            if (scanner.version() <= version) {
                continue;
            }
            // Only what follows a member of a batch tells whether it was the last: another member, or the batch's end.
            if (!releaseHeld(!scanner.isInBatch())) {
                return false;
            }
            if (scanner.isPut() || scanner.isTombstone()) {
                held = change(scanner);
                if (!scanner.isInBatch() && !releaseHeld(true)) {
                    return false;
                }
            }
        }
        return releaseHeld(true);
    }

    private boolean next(RecordScanner scanner) throws IOException {
        Session session = store.enter();
        try {
            return scanner.next();
        } finally {
            store.exit(session);
        }
    }

    private ChangeVisitor.Change change(RecordScanner scanner) throws IOException {
        byte[] value = scanner.isPut() ? scanner.value() : null;
        return new ChangeVisitor.Change(
                history, scanner.version(), scanner.key(), value, scanner.expiresAt(), !scanner.isInBatch());
    }

    private boolean releaseHeld(boolean isLast) throws IOException {
        ChangeVisitor.Change change = held;
        held = null;
        if (change == null) {
            return true;
        }
        return emit(new ChangeVisitor.Change(
                change.history(), change.version(), change.key(), change.value(), change.expiresAtMillis(), isLast));
    }

    private boolean emit(ChangeVisitor.Change change) throws IOException {
        visited = change.moment();
        return visitor.visit(change);
    }
}
