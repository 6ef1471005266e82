package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bolt.freelist.Freelist;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.bolt.page.PageStore;
import dev.caskwright.bolt.tree.Tree;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A file in the format of bolt: buckets of ordered keys, changed by one transaction at a time and read by any number.
 *
 * <p>A read transaction reads the state that was current when it began, takes no lock, and waits for nobody; nor does anybody
 * wait for it. The pages that only it still needs are not used again before it ends, so the file may grow meanwhile: {@link
 * #oldestReader} names one that was forgotten.
 *
 * <p>A commit writes the changed pages to free places, forces them, then writes a meta page, and forces that: so after any crash
 * the file has the state before the commit or the one after it. After a write or force that failed the database only reads until
 * it is opened again, and nobody is shown the state of a commit that was told to have failed.
 *
 * <p>Safe for any number of threads; a transaction is for one at a time.
 */
public final class BoltDatabase implements AutoCloseable {
    private static final long RESERVED_PAGES = 64; // of the greatest size, for commits that only delete

    private final IoManager io;
    private final IoManager.Lock lock;
    private final ReadableFile file;
    private final PageStore store;
    private final @Nullable Freelist freelist; // of a database that is not read-only; guarded by writer
    private final BoltBuilder.Options options;
    private final ReaderTable readers;
    private final CommitQueue commits = new CommitQueue(this);
    private final Semaphore writer = new Semaphore(1, true);
    private volatile @Nullable Thread writerThread;
    private volatile Meta current;
    private long listPages; // of the run that lists the free pages, 0 if there is none; guarded by writer
    private long unsettled; // a transaction that is committed and not ended in the freelist, or 0; guarded by writer
    private long earlierHighWater = Long.MAX_VALUE; // of the other meta page, once known; guarded by writer
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;
    private final Object forcing = new Object();
    private long forcedState; // up to which everything is durable; guarded by forcing
    // Plain counters, as LongAdder may need memory, of which there may be none where a commit has just been written.
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong writtenPages = new AtomicLong();
    private final AtomicLong forces = new AtomicLong();
    private boolean isReleased; // guarded by this

    BoltDatabase(
            IoManager io,
            IoManager.Lock lock,
            ReadableFile file,
            PageStore store,
            @Nullable Freelist freelist,
            long listPages,
            Meta meta,
            BoltBuilder.Options options) {
        this.io = io;
        this.lock = lock;
        this.file = file;
        this.store = store;
        this.freelist = freelist;
        this.listPages = listPages;
        this.current = meta;
        this.forcedState = meta.transaction() - 1; // what is there was forced when it was opened, if it may be written
        this.options = options;
        this.readers = new ReaderTable(options.maxReaders());
    }

    /** Starts to say how a file is opened. */
    public static BoltBuilder builder(Path file) {
        return new BoltBuilder(file);
    }

    /** Opens a file for reading and writing, and makes it if it is missing. */
    public static BoltDatabase open(Path file) throws IOException {
        return builder(file).open();
    }

    /** Something that is done in a transaction. */
    @FunctionalInterface
    public interface Work {
        /** Does it. The transaction is ended afterwards, by the caller of this method alone. */
        void in(BoltTransaction transaction) throws IOException;
    }

    /** Something that is computed in a transaction. */
    @FunctionalInterface
    public interface Query<T> {
        /** Computes it. The transaction is ended afterwards, by the caller of this method alone. */
        T in(BoltTransaction transaction) throws IOException;
    }

    /** Does something in a read transaction. */
    public void view(Work work) throws IOException {
        BoltTransaction transaction = beginRead().managed();
        try {
            work.in(transaction);
        } finally {
            transaction.end();
        }
    }

    /** Computes something in a read transaction. */
    public <T> T query(Query<T> query) throws IOException {
        BoltTransaction transaction = beginRead().managed();
        try {
            return query.in(transaction);
        } finally {
            transaction.end();
        }
    }

    /** Does something in a write transaction and commits it; if it throws, nothing is changed. */
    public void update(Work work) throws IOException {
        BoltTransaction transaction = beginWrite().managed();
        try {
            work.in(transaction);
            transaction.commitNow();
        } finally {
            transaction.end();
        }
        BoltTransaction.run(transaction.takeCommitHandlers());
    }

    /**
     * Does something in a write transaction that it may share with the work of other threads, so that many of them need one
     * force. Returns when the transaction is committed. The work may be done by another thread that calls this method, and more
     * than once: if other work in the same transaction throws, it is done again without that. So it must do nothing but change
     * the database, and must not rely on what it did in a run before.
     *
     * @throws IOException what the work itself throws: then none of it is there; or a failure of the commit
     */
    public void batch(Work work) throws IOException {
        checkDoesNotWrite();
        commits.commit(work);
    }

    /**
     * Begins a read transaction.
     *
     * @throws EngineException with {@link ErrorCode#TOO_MANY_SNAPSHOTS} if as many are open as are allowed
     */
    public BoltTransaction beginRead() throws IOException {
        return beginRead(true);
    }

    /** Begins a read transaction that goes on when the database is closed: the file is given up when it has ended. */
    BoltTransaction beginUncutRead() throws IOException {
        return beginRead(false);
    }

    private BoltTransaction beginRead(boolean isCutOff) throws IOException {
        ReaderTable.Reader reader = readers.add(System.nanoTime());
        if (reader == null) {
            throw new EngineException(
                    ErrorCode.TOO_MANY_SNAPSHOTS,
                    Outcome.NOT_APPLIED,
                    "too many read transactions are open: allowed=" + options.maxReaders()
                            + "; close them, or allow more",
                    null);
        }
        try {
            Meta meta;
            do {
                meta = current;
                reader.highWater = meta.highWater();
                reader.state = meta.transaction();
            } while (meta.transaction() != current.transaction());
            BoltTransaction transaction = new BoltTransaction(this, meta, reader);
            if (isCutOff) {
                reader.transaction =
                        transaction; // before the look: so either this sees the closing, or that the reader
            }
            if (closed) {
                throw closedException();
            }
            return transaction;
        } catch (Throwable e) {
            endRead(reader);
            throw e;
        }
    }

    /**
     * Begins the write transaction; waits, in turn, until no other one is open. It may be ended by another thread.
     *
     * @throws IllegalStateException if this thread has it already, and so would wait for itself
     */
    public BoltTransaction beginWrite() throws IOException {
        Freelist pages = freelist;
        if (pages == null) {
            throw new EngineException(
                    ErrorCode.READ_ONLY, Outcome.NOT_APPLIED, "the database was opened read-only", null);
        }
        checkDoesNotWrite();
        writer.acquireUninterruptibly();
        try {
            checkWritable();
            settle();
            pages.release(readers.states());
            BoltTransaction transaction = new BoltTransaction(this, current, null);
            writerThread = Thread.currentThread();
            return transaction;
        } catch (Throwable e) {
            writer.release();
            throw e;
        }
    }

    /** Checks that this thread would not wait for itself. */
    private void checkDoesNotWrite() {
        if (writerThread == Thread.currentThread()) {
            throw new IllegalStateException("this thread has a write transaction open: end it first");
        }
    }

    private void checkWritable() throws EngineException {
        if (closed) {
            throw closedException();
        }
        Throwable first = failure;
        if (first != null) {
            throw new EngineFailedException(
                    Outcome.NOT_APPLIED, "commits are refused after a failure, reopen the database: " + first, first);
        }
    }

    private EngineClosedException closedException() {
        return new EngineClosedException("the database is closed: file=" + store.name());
    }

    // ---------------------------------------------------------------- ending transactions

    void endRead(ReaderTable.Reader reader) {
        reader.close();
        if (closed) {
            release();
        }
    }

    void rollback(BoltTransaction transaction) {
        try {
            freelist().rollback(transaction.meta().highWater());
        } finally {
            endWrite();
        }
    }

    private void endWrite() {
        writerThread = null;
        writer.release();
    }

    void commit(BoltTransaction transaction) throws IOException {
        Meta before = transaction.meta();
        boolean isCommitted = false;
        try {
            Meta after = place(transaction);
            if (after != null) {
                write(transaction, after);
                isCommitted = true; // from here on the pages are in use, whatever is thrown
                listPages = transaction.changes().freelistPages;
                earlierHighWater = before.highWater();
                current = after;
                committed.incrementAndGet();
            }
            isCommitted = true;
        } catch (EngineException e) {
            throw e;
        } catch (IOException | OutOfMemoryError e) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "a commit has changed nothing, try again: " + e, e);
        } finally {
            try {
                endCommit(before, isCommitted);
            } finally {
                endWrite();
            }
        }
    }

    private void endCommit(Meta before, boolean isCommitted) {
        if (!isCommitted) {
            freelist().rollback(before.highWater());
            return;
        }
        unsettled = before.transaction() + 1;
        try {
            settle();
        } catch (OutOfMemoryError e) {
            // The commit is there, so its caller is told nothing: the next transaction does this first.
        } catch (RuntimeException | Error e) {
            fail(e); // which pages are free is not known any more
        }
    }

    /** Ends in the freelist a transaction that is committed, if there is one that was not ended yet. */
    private void settle() {
        if (unsettled != 0) {
            freelist().commit(unsettled, readers.states());
            unsettled = 0;
        }
    }

    private void fail(Throwable e) {
        synchronized (forcing) {
            if (failure == null) {
                failure = e;
            }
        }
    }

    /** Gives what is to be written its pages; returns the state to be, or null if nothing has changed. */
    private @Nullable Meta place(BoltTransaction transaction) throws IOException {
        Tree root = transaction.tree();
        root.rebalance();
        root.spill();
        Meta before = transaction.meta();
        BoltTransaction.Changes changes = transaction.changes();
        boolean isChanged =
                !changes.nodes.isEmpty() || root.root() != before.root() || root.sequence() != before.sequence();
        if (!isChanged && !changes.lowersHighWater) {
            return null;
        }
        Freelist pages = freelist();
        if (listPages > 0) {
            pages.free(before.freelist(), listPages, before.transaction() + 1);
        }
        long freelistPage = Meta.NO_FREELIST;
        if (options.writesFreelist()) {
            // After everything else, so that the list is at most as long as it is now.
            long needed = PageFormat.pages(FreelistPage.length(pages.count()), store.pageSize());
            freelistPage = transaction.allocate(needed);
            changes.freelistPages = needed;
        }
        if (changes.lowersHighWater) {
            changes.highWater = pages.takeTail(changes.highWater);
        }
        return new Meta(
                before.pageSize(),
                before.flags(),
                root.root(),
                root.sequence(),
                freelistPage,
                changes.highWater,
                before.transaction() + 1);
    }

    /** Returns how many pages the list of free pages takes. */
    long freelistPages(Meta meta) throws IOException {
        return meta.freelist() == Meta.NO_FREELIST
                ? 0
                : (store.copy(meta.freelist() * store.pageSize(), PageFormat.HEADER_LENGTH)
                                        .getInt(PageFormat.OVERFLOW_OFFSET)
                                & 0xFFFFFFFFL)
                        + 1;
    }

    private void write(BoltTransaction transaction, Meta after) throws IOException {
        PagedFile target = (PagedFile) file;
        CommitWriter commit = new CommitWriter(target, store);
        grow(target, transaction.changes(), after.highWater());
        commit.prepareMeta(after); // before any page is written, as it needs memory
        try {
            commit.pages(transaction.changes(), after, freelist());
            if (options.checksCommits()) {
                checkBeforeCommit(after, transaction.changes().freelistPages);
            }
        } catch (OutOfSpaceException | OutOfMemoryError e) {
            throw e; // nothing refers to what was written, and who takes these pages next writes them again
        } catch (IOException | RuntimeException | Error e) {
            throw notWritten(e);
        }
        try {
            if (options.forcesCommits()) {
                force(target);
            }
        } catch (IOException | RuntimeException | Error e) {
            throw notWritten(e);
        }
        try {
            commit.meta();
            if (options.forcesCommits()) {
                force(target);
            }
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
            throw new EngineFailedException(
                    Outcome.UNKNOWN,
                    "a meta page could not be written, so whether the commit is there shows when the database is"
                            + " reopened: "
                            + e,
                    e);
        }
        writtenPages.addAndGet(commit.writtenPages());
    }

    private EngineFailedException notWritten(Throwable e) {
        fail(e);
        return new EngineFailedException(
                Outcome.NOT_APPLIED, "a commit could not be written, reopen the database: " + e, e);
    }

    /**
     * Forces the file. One at a time: the system tells of a failed write once, so whoever comes after a failure must hear of it
     * here.
     */
    private void force(PagedFile target) throws IOException {
        synchronized (forcing) {
            Throwable first = failure;
            if (first != null) {
                throw new IOException("a force or write before this one failed: " + first, first);
            }
            try {
                target.force();
            } catch (IOException | RuntimeException | Error e) {
                failure = e;
                throw e;
            }
            forces.incrementAndGet();
        }
    }

    /** Forces the file unless a force that began after the commit of a state has done so. */
    private void forceUpTo(PagedFile target, long state) throws IOException {
        synchronized (forcing) {
            if (forcedState < state) {
                long covered = current.transaction();
                force(target);
                forcedState = covered;
            }
        }
    }

    private void checkBeforeCommit(Meta after, long freelistPages) throws IOException {
        CheckReport report = Checker.check(store, after, freelistPages, freelist()::contains);
        if (!report.isSound()) {
            throw new CorruptRecordException(
                    "a commit would damage the database", store.name(), 0, "problems=" + report.problems());
        }
    }

    /** Makes the file long enough, and maps the new part, before anything is written. */
    private void grow(PagedFile target, BoltTransaction.Changes changes, long highWater) throws IOException {
        if (highWater > PageFormat.MAX_PAGES) {
            throw new OutOfSpaceException(
                    "the database may not have as many pages: needed=" + highWater + ", allowed=" + PageFormat.MAX_PAGES
                            + "; delete something, or copy it to a file of greater pages",
                    null);
        }
        long needed = highWater * store.pageSize();
        long length = target.length();
        if (needed <= length) {
            if (store.covered() < needed) {
                store.cover(length); // it became longer for a commit that then failed
            }
            return;
        }
        long allowed = options.maxSize();
        if (changes.hasPut) {
            allowed -= Math.min(allowed / 4, RESERVED_PAGES * store.pageSize());
        }
        if (needed > allowed) {
            throw new OutOfSpaceException(
                    "the database may not become as long: needed=" + needed + ", allowed=" + allowed + ", missing="
                            + (needed - allowed) + "; delete something, or allow a greater size",
                    null);
        }
        target.grow(Math.min(allowed, Growth.next(length, needed)));
        store.cover(target.length());
    }

    // ---------------------------------------------------------------- the whole database

    /**
     * Makes the file as short as the data needs, beside readers and writers: moves pages from its end to free places before it,
     * and cuts it. What an open reader needs stays where it is; run it again later then. Works in many small commits, between
     * which others write.
     *
     * @param pagesPerCommit how many pages a commit moves, at least 1
     */
    public void compact(int pagesPerCommit) throws IOException {
        if (pagesPerCommit < 1) {
            throw new IllegalArgumentException("a commit moves at least one page: " + pagesPerCommit);
        }
        checkDoesNotWrite();
        new Compaction(this, pagesPerCommit).run();
    }

    /** Commits the current state once more, with the list of its free pages. */
    void writeFreelist() throws IOException {
        try (BoltTransaction transaction = beginWrite()) {
            transaction.changes().lowersHighWater = true;
            transaction.commit();
        }
    }

    long fileLength() throws IOException {
        return file.length();
    }

    /** Cuts off what neither meta page has in the file. */
    void cutFile() throws IOException {
        writer.acquireUninterruptibly();
        try {
            checkWritable();
            long needed = earlierHighWater == Long.MAX_VALUE
                    ? Long.MAX_VALUE
                    : Math.max(current.highWater(), earlierHighWater) * store.pageSize();
            // A reader's copy or check reads free pages as well.
            needed = Math.max(needed, readers.highWater() * store.pageSize());
            if (file instanceof PagedFile written && needed < written.length()) {
                written.truncate(needed);
            }
        } finally {
            writer.release();
        }
    }

    /** Makes everything that was committed before this call survive a power loss. Threads that call it at once share a force. */
    public void sync() throws IOException {
        if (file instanceof PagedFile written) {
            BoltTransaction reader = beginRead(); // keeps the file open
            try {
                checkWritable();
                forceUpTo(written, reader.id());
            } catch (EngineException e) {
                throw e;
            } catch (IOException | RuntimeException | Error e) {
                throw new EngineFailedException(
                        Outcome.UNKNOWN,
                        "a force failed, so what is durable is not known; reopen the database: " + e,
                        e);
            } finally {
                reader.end();
            }
        }
    }

    /** Checks the whole file, as of the last commit, beside readers. */
    public CheckReport check() throws IOException {
        try (BoltTransaction reader = beginRead()) {
            try {
                return check(reader.meta());
            } catch (InternalError e) {
                throw reader.failedRead(e);
            }
        }
    }

    private CheckReport check(Meta meta) throws IOException {
        if (meta.freelist() == Meta.NO_FREELIST) {
            return Checker.checkWithoutFreelist(store, meta);
        }
        Freelist listed = new Freelist();
        FreelistPage.read(store, meta, listed::addFree);
        return Checker.check(store, meta, freelistPages(meta), listed::contains);
    }

    /**
     * Writes the state of this moment to a stream, as a file that opens as a database, beside commits. The stream is not closed.
     */
    public void copyTo(OutputStream target) throws IOException {
        try (BoltTransaction reader = beginRead()) {
            HotCopy.write(store, reader.meta(), target::write);
        }
    }

    /**
     * Writes the state of this moment to a new file, beside commits, and makes it survive a power loss.
     *
     * @throws java.nio.file.FileAlreadyExistsException if there is such a file
     * @throws dev.caskwright.api.UnsupportedFormatException if a copy that was cut short, or goes on, is in the way: it has the
     *     target's name and {@code .copying} after it
     */
    public void copyTo(Path target) throws IOException {
        try (BoltTransaction reader = beginRead()) {
            NewFile.write(
                    options.io(),
                    target,
                    reader.size(),
                    copy -> HotCopy.write(
                            store,
                            reader.meta(),
                            (bytes, offset, length) -> copy.write(copy.length(), bytes, offset, length)));
        }
    }

    /**
     * Writes all buckets of this moment to a new file, beside commits, into full pages and without free ones, and makes it survive
     * a power loss. The new file has this one's page size, 64 KiB at most.
     *
     * @throws java.nio.file.FileAlreadyExistsException if there is such a file
     * @throws dev.caskwright.api.UnsupportedFormatException if a copy that was cut short, or goes on, is in the way: it has the
     *     target's name and {@code .copying} after it
     */
    public void compactTo(Path target) throws IOException {
        NewFile.write(options.io(), target, 0, copy -> {}, this::compactInto);
    }

    private void compactInto(Path empty) throws IOException {
        try (BoltDatabase copy = builder(empty)
                        .io(options.io())
                        .pageSize(Math.min(store.pageSize(), PageFormat.MAX_PAGE_SIZE))
                        .requiresLock(options.requiresLock())
                        .forcesCommits(false)
                        .open();
                BoltTransaction reader = beginRead()) {
            CompactCopy.copy(reader, copy);
            copy.sync();
        }
    }

    /** Returns figures about the database, consistent to within the transactions that go on. */
    public DatabaseStats stats() {
        ReaderTable.Reader oldest = readers.oldest();
        Freelist pages = freelist;
        return new DatabaseStats(
                current.highWater(),
                pages == null ? 0 : pages.freePages(),
                pages == null ? 0 : pages.pendingPages(),
                readers.count(),
                oldest == null ? 0 : System.nanoTime() - oldest.openedNanos,
                pages == null ? 0 : pages.oldestReaderPages(),
                committed.get(),
                writtenPages.get(),
                forces.get());
    }

    /** Returns since when the reader that was opened first has been open, and by which thread; null if there is none. */
    public @Nullable String oldestReader() {
        ReaderTable.Reader oldest = readers.oldest();
        return oldest == null
                ? null
                : "state=" + oldest.state + ", thread=" + oldest.openedBy.getName() + ", openedSecondsAgo="
                        + (System.nanoTime() - oldest.openedNanos) / 1_000_000_000L;
    }

    /** Returns the first failure that made the database refuse commits, or null if all is well. */
    public @Nullable Throwable health() {
        return failure;
    }

    boolean isClosed() {
        return closed;
    }

    boolean forcesCommits() {
        return options.forcesCommits();
    }

    /** Returns about how much memory the sets of free pages take, in bytes: two bits for each page of the file. */
    long freelistBytes() {
        return freelist == null ? 0 : Math.max(1, current.highWater() / 4);
    }

    /** Returns the number of the current state. */
    long state() {
        return current.transaction();
    }

    /** Returns where the file is. */
    Path path() {
        return options.file();
    }

    /** Returns where the file is, by one name whatever links and relative paths led there. */
    String place() {
        return io.describe() + "/" + store.name();
    }

    boolean requiresLock() {
        return options.requiresLock();
    }

    IoManagerFactory io() {
        return options.io();
    }

    PageStore store() {
        return store;
    }

    Freelist freelist() {
        return Objects.requireNonNull(freelist, "read-only");
    }

    /** Returns how many write transactions may begin now: one, or none. For tests. */
    int writersThatMayBegin() {
        return writer.availablePermits();
    }

    /**
     * Closes the database: waits for the write transaction, if one is open; read transactions that are open fail from now on. The
     * file and its lock are given up when the last of these has been closed. Closing twice is fine.
     */
    @Override
    public void close() throws IOException {
        checkDoesNotWrite();
        writer.acquireUninterruptibly();
        try {
            closed = true;
            readers.cutOff();
        } finally {
            writer.release();
        }
        IOException failed = release();
        if (failed != null) {
            throw failed;
        }
    }

    private synchronized @Nullable IOException release() {
        if (isReleased || readers.count() > 0) {
            return null;
        }
        isReleased = true;
        IOException first = null;
        for (AutoCloseable each : new AutoCloseable[] {file, lock, io}) {
            try {
                each.close();
            } catch (IOException e) {
                first = first == null ? e : first;
            } catch (Exception e) {
                first = first == null ? new IOException(e) : first;
            }
        }
        return first;
    }
}
