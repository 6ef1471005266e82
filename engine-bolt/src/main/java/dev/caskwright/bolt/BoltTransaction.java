package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageLookup;
import dev.caskwright.bolt.page.PageStore;
import dev.caskwright.bolt.tree.Arena;
import dev.caskwright.bolt.tree.Node;
import dev.caskwright.bolt.tree.Pages;
import dev.caskwright.bolt.tree.TailPages;
import dev.caskwright.bolt.tree.Tree;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A transaction: a read transaction sees the state of the moment it began, whatever is committed meanwhile; a write transaction
 * sees its own changes on top of the last committed state, and is the only one of its kind.
 *
 * <p>For one thread at a time. Everything that comes from a transaction ends with it. A transaction that is closed without a
 * commit leaves no trace.
 */
public final class BoltTransaction implements AutoCloseable {
    private static final int OPEN = 0;
    private static final int ENDED = 1;
    private static final int CUT_OFF = 2; // by the closing of the database
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(BoltTransaction.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final BoltDatabase database;
    private final Meta meta;
    private final ReaderTable.@Nullable Reader reader; // of a read transaction
    private final TransactionPages pages;
    private final Tree root;
    private final @Nullable Changes changes; // of a write transaction
    private final long begunNanos = System.nanoTime();
    private List<Runnable> commitHandlers = List.of(); // until there is one
    private boolean isManaged;
    private @Nullable Throwable spoiler;

    @SuppressWarnings("UnusedVariable") // by STATE
    private volatile int state = OPEN;

    /** What a write transaction has taken, given back and wants to write. */
    static final class Changes {
        final Arena arena = new Arena();
        final List<Node> nodes = new ArrayList<>();
        long highWater;
        long freelistPages;
        boolean hasPut;
        boolean lowersHighWater;
    }

    BoltTransaction(BoltDatabase database, Meta meta, ReaderTable.@Nullable Reader reader) {
        this.database = database;
        this.meta = meta;
        this.reader = reader;
        Changes made = null;
        if (reader == null) {
            made = new Changes();
            made.highWater = meta.highWater();
        }
        this.changes = made;
        this.pages = new TransactionPages();
        this.root = new Tree(pages, meta.root(), meta.sequence());
    }

    /** The file as the trees of this transaction see it. */
    private final class TransactionPages implements Pages {
        private final PageStore store = database.store();

        @Override
        public int pageSize() {
            return store.pageSize();
        }

        @Override
        public long highWater() {
            return meta.highWater();
        }

        @Override
        public ByteOrder order() {
            return store.order();
        }

        @Override
        public String file() {
            return store.name();
        }

        @Override
        public void read(long id, Page into) throws IOException {
            store.read(id, meta.highWater(), into);
        }

        @Override
        public PageLookup newLookup() {
            return new PageLookup(store, meta.highWater());
        }

        @Override
        public long fetch(long id) {
            return store.fetch(id, meta.highWater());
        }

        @Override
        public long allocate(long pages) {
            return BoltTransaction.this.allocate(pages);
        }

        @Override
        public void free(long id, long pages) throws IOException {
            if (!database.freelist().free(id, pages, meta.transaction() + 1)) {
                throw new CorruptRecordException(
                        "page is used and free, or used twice",
                        file(),
                        id * pageSize(),
                        "page=" + id + ", pages=" + pages);
            }
        }

        @Override
        public void write(Node node) {
            changes().nodes.add(node);
        }

        @Override
        public Arena arena() {
            return changes().arena;
        }
    }

    /** Takes a run of free pages, or one at the end of the file. */
    long allocate(long pages) {
        Changes made = changes();
        long first = database.freelist().allocate(pages);
        if (first < 0) {
            first = made.highWater;
            made.highWater += pages;
            database.freelist().allocatedAtEnd(first, pages);
        }
        return first;
    }

    /** Returns the number of the state that a read transaction sees, or that a write transaction makes. */
    public long id() {
        return isWritable() ? meta.transaction() + 1 : meta.transaction();
    }

    /** Returns whether this is a write transaction. */
    public boolean isWritable() {
        return changes != null;
    }

    /** Returns how long the file is in this state, in bytes, without space that was never used. */
    public long size() {
        return meta.highWater() * database.store().pageSize();
    }

    /** Returns figures about the transaction, also after it has ended. */
    public TransactionStats stats() {
        Changes made = changes;
        return new TransactionStats(
                id(),
                System.nanoTime() - begunNanos,
                made == null ? 0 : made.nodes.size(),
                made == null ? 0 : made.nodes.stream().mapToLong(Node::runPages).sum(),
                made == null ? 0 : made.arena.bytes());
    }

    /** Returns the root bucket, which has all others. In files of bolt it has no values, only buckets. */
    public Bucket root() {
        checkReadable();
        return new Bucket(this, root);
    }

    /** Returns the bucket of that name, or null if there is none. */
    public @Nullable Bucket bucket(byte[] name) throws IOException {
        return root().bucket(name);
    }

    /** As {@link Bucket#createBucket}, in the root. */
    public Bucket createBucket(byte[] name) throws IOException {
        return root().createBucket(name);
    }

    /** As {@link Bucket#createBucketIfNotExists}, in the root. */
    public Bucket createBucketIfNotExists(byte[] name) throws IOException {
        return root().createBucketIfNotExists(name);
    }

    /** As {@link Bucket#deleteBucket}, in the root. */
    public void deleteBucket(byte[] name) throws IOException {
        root().deleteBucket(name);
    }

    /** Adds something that is done right after this transaction is committed, in the order in which it was added. */
    public void onCommit(Runnable handler) {
        checkWritable();
        if (commitHandlers.isEmpty()) {
            commitHandlers = new ArrayList<>();
        }
        commitHandlers.add(Objects.requireNonNull(handler, "handler"));
    }

    /**
     * Makes the changes of this write transaction the current state, durable unless the database was opened otherwise, and ends
     * the transaction, whatever comes of it. Commit handlers are called afterwards, all of them, also if one fails.
     *
     * @throws EngineException its outcome says whether the changes may be there after a reopening; with {@link Outcome#APPLIED} a
     *     commit handler failed
     * @throws IllegalStateException within {@link BoltDatabase#update} and its like, which commit themselves
     */
    public void commit() throws IOException {
        checkIsNotManaged();
        commitNow();
        run(takeCommitHandlers());
    }

    /** Ends the transaction without changing anything. */
    public void rollback() {
        close();
    }

    /** Ends the transaction; a write transaction that was not committed has changed nothing. Closing twice is fine. */
    @Override
    public void close() {
        if (state != ENDED) {
            checkIsNotManaged();
            end();
        }
    }

    /** Returns another transaction over the state of this read transaction, which lasts as long and is not ended. */
    BoltTransaction sibling() {
        return new BoltTransaction(database, meta, Objects.requireNonNull(reader, "a write transaction has none"));
    }

    /** Makes the transaction one that only the method that began it ends. */
    BoltTransaction managed() {
        isManaged = true;
        return this;
    }

    private void checkIsNotManaged() {
        if (isManaged) {
            throw new IllegalStateException(
                    "the transaction is ended by the method that called the work: return to commit, throw to roll back");
        }
    }

    /** Commits without calling the commit handlers. */
    void commitNow() throws IOException {
        checkWritable();
        Throwable cause = spoiler;
        if (cause != null) {
            end();
            throw new EngineException(
                    cause instanceof EngineException typed ? typed.code() : ErrorCode.FAILED,
                    Outcome.NOT_APPLIED,
                    "a change failed half-way, so the transaction was rolled back: " + cause,
                    cause);
        }
        if (takeEnd()) {
            try {
                database.commit(this);
            } catch (CorruptRecordException | InternalError e) {
                throw failedRead(e);
            }
        }
    }

    /** Returns the handlers that were added since the last call, and forgets them. */
    List<Runnable> takeCommitHandlers() {
        List<Runnable> taken = commitHandlers;
        commitHandlers = List.of();
        return taken;
    }

    /** Calls all commit handlers, also after one has failed. */
    static void run(List<Runnable> handlers) throws EngineException {
        Throwable first = null;
        for (Runnable handler : handlers) {
            try {
                handler.run();
            } catch (RuntimeException | Error e) {
                if (first == null) {
                    first = e;
                } else {
                    Causes.add(first, e);
                }
            }
        }
        if (first != null) {
            throw new EngineException(
                    ErrorCode.FAILED,
                    Outcome.APPLIED,
                    "the transaction is committed, but a commit handler failed: " + first,
                    first);
        }
    }

    /** Returns what made a change fail half-way, or null if none did. */
    @Nullable Throwable spoiler() {
        return spoiler;
    }

    /** Keeps the transaction from being committed after a change that failed half-way; returns what is thrown then. */
    IOException failedChange(Throwable e) {
        if (spoiler == null) {
            spoiler = e;
        }
        return failedRead(e);
    }

    /** Ends the transaction, if it is open: nothing is changed. */
    void end() {
        if (takeEnd()) {
            ReaderTable.Reader mine = reader;
            if (mine != null) {
                database.endRead(mine);
            } else {
                database.rollback(this);
            }
        }
    }

    /** Returns whether it is for the caller to end the transaction: for the first one that asks. */
    private boolean takeEnd() {
        return (int) STATE.getAndSet(this, ENDED) != ENDED;
    }

    /** Lets the transaction fail from now on, because the database is closed. */
    void cutOff() {
        STATE.compareAndSet(this, OPEN, CUT_OFF);
    }

    Meta meta() {
        return meta;
    }

    int pageSize() {
        return database.store().pageSize();
    }

    Tree tree() {
        return root;
    }

    /** Returns the pages of this state at or after some page. */
    List<TailPages.Place> tailPages(long from) throws IOException {
        return TailPages.of(pages, meta.root(), from);
    }

    Changes changes() {
        Changes made = changes;
        if (made == null) {
            throw new IllegalStateException("the transaction only reads");
        }
        return made;
    }

    void willPut() {
        changes().hasPut = true;
    }

    void checkReadable() {
        // Seen in time, but without the cost of a volatile read: this is done for each byte that is viewed.
        int seen = (int) STATE.getOpaque(this);
        if (seen != OPEN) {
            throw new IllegalStateException(seen == ENDED ? "the transaction has ended" : "the database is closed");
        }
    }

    void checkWritable() {
        checkReadable();
        if (changes == null) {
            throw new IllegalStateException("the transaction only reads");
        }
    }

    /**
     * Turns what a read of mapped memory throws, when somebody has cut the file, into an error of the file. Compiled code may read
     * anything there instead, so an error that tells of damage is looked at as well.
     */
    IOException failedRead(Throwable e) {
        if (e instanceof CorruptRecordException damage) {
            return isCut() ? cut(e) : damage;
        }
        if (e instanceof InternalError) {
            return cut(e);
        }
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof IOException failed ? failed : failedUnchecked(e);
    }

    private boolean isCut() {
        try {
            database.store().copy(size() - 1, 1);
            return false;
        } catch (IOException | InternalError e) {
            return true;
        }
    }

    private IOException cut(Throwable e) {
        return new IOException(
                "file cannot be read, it was cut short while it was open: file="
                        + database.store().name() + ", needed=" + size(),
                e);
    }

    private static IOException failedUnchecked(Throwable e) {
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        return new IOException(e);
    }
}
