package dev.caskwright.bitcask.read;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.store.LeakGuard;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A {@link FullScan} that goes on when it is asked for the next entry. One that has failed goes no further. */
final class ScanCursor implements Cursor {
    private final Store store;
    private final Snapshots.Handle pin;
    private final LeakGuard leakGuard;
    private final FullScan scan;
    private final Map<LogSegment, RecordScanner> scanners = new HashMap<>();
    private int next; // of the records at hand, or of those that are lost
    private long @Nullable [] lost; // once all files are through
    private @Nullable Throwable failure;
    private volatile boolean isClosed;

    ScanCursor(Store store, Snapshots.Handle pin, FullScan scan) {
        this.store = store;
        this.pin = pin;
        this.scan = scan;
        this.leakGuard = new LeakGuard(this, store, pin);
    }

    @Override
    public @Nullable Entry next() throws IOException {
        if (isClosed) {
            throw new EngineClosedException("the cursor is closed");
        }
        scan.checkOpen();
        if (failure != null) {
            throw new IOException("the cursor has failed before; open a new one", failure);
        }
        try {
            return advance();
        } catch (IOException | RuntimeException | Error e) {
            failure = e; // the records at hand may not have been judged
            throw e;
        }
    }

    private @Nullable Entry advance() throws IOException {
        long[] rest = lost;
        while (rest == null) {
            while (next < scan.count()) {
                int i = next++;
                if (scan.isEntryAt(i)) {
                    return scan.entry(i);
                }
            }
            next = 0;
            if (!scan.fill()) {
                rest = scan.lost();
                lost = rest;
            }
        }
        while (next < rest.length) {
            Entry entry = scan.lostEntry(rest[next++], scanners);
            if (entry != null) {
                return entry;
            }
        }
        scan.checkLost();
        return null;
    }

    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            leakGuard.clear();
            LeakGuard.close(store, pin);
        }
    }
}
