package dev.caskwright.bitcask.log.segmented;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.append.ActiveFile;
import dev.caskwright.bitcask.log.append.GroupCommit;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.NewFiles;
import dev.caskwright.bitcask.log.format.LogPosition;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The force of everything that was appended to the log: what is forced and listed, in which order. */
final class LogForce {
    /** What is done while no file is forced, or left. */
    interface Step {
        void take() throws IOException;
    }

    private final IoManager io;
    private final RecordLogOptions options;
    private final Manifest manifest;
    private final GroupCommit commit;
    private final ActiveFile active;
    private final Sealer sealer;
    private final Object handles = new Object(); // a handle is not exchanged while it is forced
    private final Object leaving = new Object(); // the mark at a file's end tells all that is durable by then
    private volatile boolean namesAdded;

    @GuardedBy("handles") private boolean isForcing; // whether a failure now would be one of a force

    LogForce(
            IoManager io,
            RecordLogOptions options,
            Manifest manifest,
            GroupCommit commit,
            ActiveFile active,
            Sealer sealer) {
        this.io = io;
        this.options = options;
        this.manifest = manifest;
        this.commit = commit;
        this.active = active;
        this.sealer = sealer;
    }

    /** Says that a file was made, whose name is not durable yet. */
    void addName() {
        namesAdded = true;
    }

    /** Leaves the active file, while nothing is made known of what is durable. */
    void leave(Step step) throws IOException {
        synchronized (leaving) {
            step.take();
        }
    }

    /** Exchanges a handle that is not forced meanwhile. */
    void exchange(Step step) throws IOException {
        synchronized (handles) {
            step.take();
        }
    }

    /**
     * Forces everything appended so far. Runs in the one leader of the group commit.
     *
     * <p>Files that writers have left are forced and listed in the manifest before the active one is forced. So whatever is
     * acknowledged as durable in a file, damage to an earlier one is damage to a listed file, and never taken for the end of
     * the log.
     */
    long run() throws IOException {
        synchronized (handles) {
            isForcing = false;
            try {
                // The active file is read before those left: if it is left meanwhile, it is among these, too.
                DataFile last = active.file();
                long reached = last == null ? commit.durable() : LogPosition.of(last.id(), last.length());
                reached = Math.max(reached, forceLeft(last));
                if (last != null && !last.isSealed()) {
                    force(last);
                }
                syncNames();
                if (isLeft(last, reached)) {
                    reached = Math.max(reached, forceLeft(null));
                }
                return Math.max(commit.durable(), reached);
            } catch (IOException | RuntimeException | Error e) {
                if (!isForcing) {
                    // No force has failed, so the next one proves what this one would have.
                    throw new EngineException(ErrorCode.UNAVAILABLE, Outcome.APPLIED, "not synced, try again: " + e, e);
                }
                options.onFailure().accept(e);
                throw e;
            }
        }
    }

    @GuardedBy("handles") private void force(DataFile file) throws IOException {
        WritableFile handle = file.writable();
        isForcing = true;
        handle.force();
        isForcing = false;
    }

    @GuardedBy("handles") private void syncNames() throws IOException {
        if (namesAdded) {
            namesAdded = false;
            isForcing = true;
            try {
                io.syncDirectory();
            } catch (EngineException e) {
                namesAdded = true;
                isForcing = !NewFiles.hasChangedNothing(e);
                throw e;
            }
            isForcing = false;
        }
    }

    /**
     * Returns whether writers have left a file while it was forced: then it must be listed before anything in it counts as
     * durable. If not, makes known up to where the log is durable, so that the mark at the file's end will tell.
     */
    private boolean isLeft(@Nullable DataFile file, long durable) {
        synchronized (leaving) {
            if (file != active.file()) {
                return true;
            }
            commit.startAt(Math.max(commit.durable(), durable));
            return false;
        }
    }

    /** Forces and lists the files that writers have left, those before {@code next} only; returns where they end, or 0. */
    @GuardedBy("handles") private long forceLeft(@Nullable DataFile next) throws IOException {
        List<Manifest.Sealed> forced = new ArrayList<>();
        long reached = 0;
        for (DataFile file : sealer.waiting()) {
            if (next != null && file.id() >= next.id()) {
                break;
            }
            reached = LogPosition.of(file.id(), file.length());
            if (reached > commit.durable()) {
                force(file);
            }
            forced.add(file.sealedEntry());
        }
        if (!forced.isEmpty()) {
            list(forced);
        }
        return reached;
    }

    @GuardedBy("handles") private void list(List<Manifest.Sealed> files) throws IOException {
        syncNames(); // a crash may not list a file whose name is not there
        isForcing = true;
        try {
            manifest.seal(files, Map.of());
            isForcing = false;
        } catch (OutOfSpaceException e) {
            isForcing = false;
            // What was forced is durable all the same. Until they are listed, only the records after damage prove it.
            logger().warn("no space to list data files, will try again: {}", e.getMessage());
        } catch (EngineException e) {
            isForcing = !NewFiles.hasChangedNothing(e);
            throw e;
        } catch (RuntimeException | Error e) {
            isForcing = manifest.hasFailed(); // if not, memory was wanting, say, and they are listed another time
            throw e;
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(LogForce.class);
    }
}
