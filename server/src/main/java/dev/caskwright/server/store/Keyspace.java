package dev.caskwright.server.store;

import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The databases of a store. Each is a <i>slot</i>: the byte before its keys. Which slot a database has is a record of the store,
 * so that a database is emptied by giving it another slot, and two are swapped, at once whatever their size. What is left in a
 * slot that no database has is removed in the background.
 *
 * <pre>
 * key    slot (1) | key of the user         slots 0 to 253
 *        0xFF | "slots"                     which slot each database has, see {@link SlotMap}
 * value  type (1) | value                   type 0 is a string
 * </pre>
 *
 * <p>Commands run under {@link #lock}, one after another.
 */
public final class Keyspace {
    /** The greatest length of a key: the engine's, less the byte of the slot. */
    public static final int MAX_KEY_LENGTH = StorageEngine.MAX_KEY_LENGTH - 1;

    /** The type of a string. */
    public static final byte STRING = 0;

    private static final Logger LOG = LoggerFactory.getLogger(Keyspace.class);
    private static final byte[] SLOTS_KEY = {(byte) 0xFF, 's', 'l', 'o', 't', 's'};
    private static final int MAX_DELETES = 1_000;

    private final StorageEngine engine;
    private final InstantSource clock;
    private final ReentrantLock lock;
    private final Gate gate;
    private final Changes changes;
    private final Live live;
    private final Ahead ahead;

    /** Whether others change the store, or have records of their own in it. */
    private final boolean isShared;

    private SlotMap slots;
    private @Nullable Overlay overlay;
    private long maxCollectedBytes = Long.MAX_VALUE;

    /** The slots as they will be when {@link #overlay} is written, or null if it does not change them. */
    private @Nullable SlotMap staged;

    /** Is shown keys and values. */
    @FunctionalInterface
    public interface KeyVisitor {
        /** Takes a key, with the byte of its slot, and the stored value; returns whether it wants another. */
        boolean visit(byte[] key, byte[] stored) throws IOException;
    }

    /**
     * Opens the databases of a store.
     *
     * @param databases how many there are; those that the store has beyond them stay as they are
     */
    public Keyspace(StorageEngine engine, InstantSource clock, int databases, AppendFsync policy) throws IOException {
        this(engine, clock, databases, policy, false, new ReentrantLock());
        gate.start();
    }

    private Keyspace(
            StorageEngine engine,
            InstantSource clock,
            int databases,
            AppendFsync policy,
            boolean isShared,
            ReentrantLock lock)
            throws IOException {
        this.lock = lock;
        this.engine = engine;
        this.clock = clock;
        this.isShared = isShared;
        gate = new Gate(engine, lock, policy);
        changes = new Changes(gate);
        ahead = new Ahead(engine, changes);
        live = new Live(engine, clock, changes, ahead);
        byte[] record = engine.get(SLOTS_KEY);
        if (!isShared && record == null && engine.size() > 0) {
            throw new IOException(
                    "the store has keys that no server wrote, which a server would misread: serve a store of its"
                            + " own, and load them with SET");
        }
        slots = SlotMap.read(record, databases, !isShared);
    }

    /**
     * Opens the databases of a store that several servers agree on: its records are not all of this keyspace, and what it holds may
     * be changed by others. Nothing is forced.
     */
    public static Keyspace replicated(StorageEngine engine, InstantSource clock, int databases) throws IOException {
        return replicated(engine, clock, databases, new ReentrantLock());
    }

    /** Opens such databases under a lock that those of other stores have, too. */
    public static Keyspace replicated(StorageEngine engine, InstantSource clock, int databases, ReentrantLock lock)
            throws IOException {
        return new Keyspace(engine, clock, databases, AppendFsync.NO, true, lock);
    }

    /** Reads anew which slot each database has. Under the lock, and not between {@link #begin} and {@link #commit}. */
    public void reload() throws IOException {
        slots = SlotMap.read(engine.get(SLOTS_KEY), slots.databases(), !isShared);
    }

    /** Keys of a database that was emptied, with the byte of its slot before them; none if there are none left. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    public record Leftovers(byte slot, List<byte[]> keys) {}

    /** Returns some of the keys in a slot that no database has, or null if there is no such slot. Not under the lock. */
    public @Nullable Leftovers leftovers(int mostKeys, int mostBytes) throws IOException {
        int slot;
        lock.lock();
        try {
            reload();
            slot = slots.leftover();
        } finally {
            lock.unlock();
        }
        if (slot < 0) {
            return null;
        }
        List<byte[]> keys = new ArrayList<>();
        int[] bytes = {0};
        visit((byte) slot, new byte[0], (key, stored) -> {
            keys.add(key);
            bytes[0] += key.length;
            return keys.size() < mostKeys && bytes[0] < mostBytes;
        });
        return new Leftovers((byte) slot, keys);
    }

    /**
     * Removes keys of a slot, if no database has it. The slot is free again once no keys are given and none are left. Under the
     * lock. What is removed depends on nothing but the keys: which of them come first differs between stores of the same content.
     */
    public void clean(Leftovers leftovers) throws IOException {
        if (!slots.isLeftover(leftovers.slot())) {
            return; // somebody was faster, and the slot may have keys of another database by now
        }
        WriteBatch batch = new WriteBatch();
        for (byte[] key : leftovers.keys()) {
            if (key.length == 0 || key[0] != leftovers.slot()) {
                throw new IOException("a key to be removed is of another slot: slot=" + leftovers.slot());
            }
            batch.delete(key);
        }
        if (batch.size() > 0) {
            engine.write(batch, WriteOptions.WRITE);
            return;
        }
        boolean[] hasKeys = {false};
        visit(leftovers.slot(), new byte[0], (key, stored) -> {
            hasKeys[0] = true;
            return false;
        });
        if (!hasKeys[0]) {
            save(slots.removed(leftovers.slot()));
        }
    }

    /** The lock under which commands run. */
    public ReentrantLock lock() {
        return lock;
    }

    /** Returns what knows what is durable. */
    public Gate gate() {
        return gate;
    }

    /** Returns what counts changes and tells of them. */
    public Changes changes() {
        return changes;
    }

    /** Returns the store. */
    public StorageEngine engine() {
        return engine;
    }

    /** Returns the time that expiry goes by. */
    public long nowMillis() {
        return clock.millis();
    }

    /** Returns how many databases there are. */
    public int databases() {
        return slots.databases();
    }

    /** Returns the byte before the keys of a database. */
    public byte slot(int database) {
        return current().slot(database);
    }

    private SlotMap current() {
        return staged == null ? slots : staged;
    }

    /** Returns the data that commands work on: the store, or the changes of {@link #begin} over it. */
    public Data data() {
        return overlay == null ? live : overlay;
    }

    /** Returns whether changes are being collected. */
    public boolean isCollecting() {
        return overlay != null;
    }

    /** Refuses to collect more than so many bytes of changes, so that a transaction takes bounded memory. */
    public void maxCollectedBytes(long bytes) {
        maxCollectedBytes = bytes;
    }

    /** Collects the changes that follow, until {@link #commit} or {@link #discard}. */
    public void begin() {
        overlay = new Overlay(live, maxCollectedBytes);
    }

    /** Writes all changes since {@link #begin}, or none. */
    public void commit() throws IOException {
        Overlay all = overlay;
        SlotMap next = staged;
        discard();
        if (all != null) {
            all.commit();
        }
        if (next != null) {
            set(next);
        }
    }

    /** Forgets all changes since {@link #begin}. */
    public void discard() {
        overlay = null;
        staged = null;
    }

    /** Makes sure that a key may be put into a database, with a stored value of a length. To be called before it is. */
    public void use(int database, boolean expires, int length) throws IOException {
        SlotMap now = current();
        if (!now.allows(database, expires, length)) {
            save(now.use(database, expires, length));
        }
    }

    /** Returns what reads keys before they are asked for. Under the lock. */
    public Ahead ahead() {
        return ahead;
    }

    /**
     * Returns whether keys that the next commands ask for may be read before: nothing is collected, nobody else changes the store, and
     * its values are short, so that many fit into memory.
     */
    public boolean mayReadAhead() {
        return overlay == null && !isShared && slots.hasShortValuesOnly();
    }

    /** Empties a database, or all for -1; then {@link #removeLeftovers} has something to do. */
    public void clear(int database) throws IOException {
        SlotMap before = current();
        SlotMap next = database < 0 ? before.clearAll() : before.clear(database);
        if (!next.equals(before)) {
            save(next);
        }
    }

    /** Gives each of two databases the keys of the other. */
    public void swap(int one, int other) throws IOException {
        save(current().swap(one, other));
    }

    private void save(SlotMap next) throws IOException {
        data().put(SLOTS_KEY, next.bytes(), Data.NEVER);
        if (overlay != null) {
            staged = next;
        } else {
            set(next);
        }
    }

    private void set(SlotMap next) {
        SlotMap before = slots;
        slots = next;
        byte[] moves = before.moves(next);
        if (moves.length > 0) {
            changes.moved(moves, this::mayBeThere);
        }
    }

    private boolean mayBeThere(byte[] key) {
        try {
            return engine.contains(key);
        } catch (IOException e) {
            LOG.warn(
                    "whether a watched key is in the database that took its place cannot be read: it counts as changed",
                    e);
            return true;
        }
    }

    /** Returns how many keys a database has if that is known without counting, or -1. */
    public long quickSize(int database) throws IOException {
        if (overlay != null || isShared) {
            return -1;
        }
        if (!slots.isUsed(slots.slot(database))) {
            return 0;
        }
        return slots.usedSlots() == 1 && !slots.mayHaveGhosts() ? Math.max(0, engine.size() - 1) : -1;
    }

    /**
     * Visits the keys of a slot that start with {@code prefix}, as of now. Needs no lock; under it, shows the changes since
     * {@link #begin}.
     */
    public void visit(byte slot, byte[] prefix, KeyVisitor visitor) throws IOException {
        Overlay over = lock.isHeldByCurrentThread() ? overlay : null;
        if (over == null) {
            visitStored(slot, prefix, visitor);
            return;
        }
        boolean[] goesOn = {true};
        visitStored(slot, prefix, (key, stored) -> over.hasChanged(key) || (goesOn[0] = visitor.visit(key, stored)));
        if (goesOn[0]) {
            over.visit(slot, prefix, visitor);
        }
    }

    private void visitStored(byte slot, byte[] prefix, KeyVisitor visitor) throws IOException {
        var ordered = engine.facet(OrderedView.class);
        byte[] start = start(slot, prefix);
        if (ordered.isPresent()) {
            try (var cursor = ordered.get().prefix(start, false)) {
                for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                    if (!visitor.visit(entry.key(), entry.value())) {
                        return;
                    }
                }
            }
            return;
        }
        engine.visit(entry -> !startsWith(entry.key(), start) || visitor.visit(entry.key(), entry.value()));
    }

    /**
     * A database of a store.
     *
     * @param slot the byte before its keys
     */
    public record Part(Keyspace keyspace, byte slot) {
        /** Visits its keys; see {@link Keyspace#visit}. */
        public void visit(byte[] prefix, KeyVisitor visitor) throws IOException {
            keyspace.visit(slot, prefix, visitor);
        }

        /** Begins a walk over its keys; see {@link Keyspace#walk}. */
        public KeyWalk walk(byte[] prefix) throws IOException {
            return keyspace.walk(slot, prefix);
        }
    }

    /** Begins a walk over the keys of a slot that start with {@code prefix}, as they are now. The caller closes it. */
    public KeyWalk walk(byte slot, byte[] prefix) throws IOException {
        return KeyWalk.begin(engine, slot, prefix);
    }

    static byte[] start(byte slot, byte[] prefix) {
        byte[] start = new byte[prefix.length + 1];
        start[0] = slot;
        System.arraycopy(prefix, 0, start, 1, prefix.length);
        return start;
    }

    static boolean startsWith(byte[] key, byte[] start) {
        if (key.length < start.length) {
            return false;
        }
        for (int i = 0; i < start.length; i++) {
            if (key[i] != start[i]) {
                return false;
            }
        }
        return true;
    }

    /** Removes keys in slots that no database has. Takes the lock for short times; one thread at a time. */
    public void removeLeftovers() throws IOException {
        while (true) {
            int slot;
            lock.lock();
            try {
                slot = slots.leftover();
            } finally {
                lock.unlock();
            }
            if (slot < 0) {
                return;
            }
            removeAll((byte) slot);
            lock.lock();
            try {
                save(slots.removed((byte) slot));
            } finally {
                lock.unlock();
            }
        }
    }

    private void removeAll(byte slot) throws IOException {
        List<byte[]> keys = new ArrayList<>();
        do {
            keys.clear();
            visit(slot, new byte[0], (key, stored) -> {
                keys.add(key);
                return keys.size() < MAX_DELETES * 64;
            });
            for (int from = 0; from < keys.size(); from += MAX_DELETES) {
                WriteBatch batch = new WriteBatch();
                keys.subList(from, Math.min(keys.size(), from + MAX_DELETES)).forEach(batch::delete);
                engine.write(batch, WriteOptions.WRITE);
            }
        } while (!keys.isEmpty());
    }
}
