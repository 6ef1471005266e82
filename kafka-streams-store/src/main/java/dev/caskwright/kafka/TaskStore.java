package dev.caskwright.kafka;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.engine.Backends;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.processor.BatchingStateRestoreCallback;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.Position;
import org.jspecify.annotations.Nullable;

/**
 * One store of one task: an engine, and the changes since the last commit before it. A commit writes the changes, the
 * offset of the changelog, the position and the stream time in one batch. So what is on disk is always what one offset
 * stands for.
 *
 * <p>Changes that take more memory than allowed are written before the commit. At-least-once processing may do so: what
 * the changelog has beyond the offset is applied once more after a crash, and gives the same content. Under
 * exactly-once, the changes of a transaction that may still be aborted are on disk then; the store says so in its state
 * record, and has no offset after a crash, so that Kafka Streams restores it from nothing. With Kafka's transactional
 * stores nothing is written before the commit.
 *
 * <p><b>Threads.</b> The thread of the task writes and commits; any number of threads read meanwhile.
 */
final class TaskStore {
    private static final byte[] IDENTITY_KEY = {0, 0};
    private static final byte[] STATE_KEY = {0, 1};
    private static final int OWN_RECORDS = 2;
    private static final String DIRECTORY = "caskwright";
    private static final int EXPIRED_BATCH = 1000;
    /** How many expired entries a commit removes at least; more if more were written. */
    private static final int EXPIRED_PER_COMMIT = 10_000;

    /** Applies one record of the changelog. */
    @FunctionalInterface
    interface Restorer {
        void restore(byte[] key, byte @Nullable [] value);
    }

    private final String name;
    private volatile @Nullable Opened opened;
    private volatile Changes changes = new Changes();
    private volatile StateRecord state = StateRecord.empty();
    private volatile Position position = Position.emptyPosition();
    private volatile long streamTime = StateRecord.NO_TIME;
    private StoreOptions options = StoreOptions.from(Map.of());
    private boolean transactional;
    private boolean exactlyOnce;

    /** What there is while the store is open. */
    private record Opened(StorageEngine engine, OrderedView ordered, StateStoreContext context) {}

    TaskStore(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    /**
     * Opens the store, or makes it, and registers it for restoring.
     *
     * @param kind what it is, in words that no other kind or format has; a store of another kind is refused
     */
    void open(
            StateStoreContext context,
            StateStore root,
            String kind,
            @Nullable StoreOptions explicit,
            Restorer restorer) {
        HostVersion.check();
        Map<String, Object> configuration = context.appConfigs();
        options = explicit == null ? StoreOptions.from(configuration) : explicit;
        exactlyOnce = String.valueOf(configuration.get(StreamsConfig.PROCESSING_GUARANTEE_CONFIG))
                .startsWith("exactly_once");
        transactional = Boolean.parseBoolean(
                String.valueOf(configuration.get(StreamsConfig.TRANSACTIONAL_STATE_STORES_CONFIG)));
        Path directory = context.stateDir().toPath().resolve(DIRECTORY).resolve(name);
        StorageEngine engine = openEngine(directory);
        try {
            OrderedView ordered = engine.ordered();
            checkIdentity(engine, directory, identity(context, kind));
            loadState(engine, directory);
            opened = new Opened(engine, ordered, context);
        } catch (IOException | RuntimeException | Error e) {
            closeAfter(engine, e);
            if (e instanceof MissingFacetException) {
                throw new ConfigException("the engine of a state store needs an order: store=" + name + ", "
                        + StoreOptions.ENGINE + "=" + options.engine() + ": " + e.getMessage());
            }
            throw e instanceof RuntimeException unchecked ? unchecked : failed("opening", e);
        }
        try {
            context.register(root, (BatchingStateRestoreCallback) records -> restoreAll(records, restorer));
        } catch (RuntimeException | Error e) {
            closeAfter(engine, e);
            throw e;
        }
    }

    private void restoreAll(Collection<KeyValue<byte[], byte[]>> records, Restorer restorer) {
        records.forEach(each -> restorer.restore(each.key, each.value));
        // They are committed in the changelog already.
        write(state.offsets(), state.hasUncommitted(), null);
    }

    private StorageEngine openEngine(Path directory) {
        try {
            Files.createDirectories(directory);
            return Backends.engine(options.engine()).open(directory.resolve("data"), options.settings());
        } catch (EngineLockedException e) {
            throw new ProcessorStateException(
                    "the directory of a state store is in use: store=" + name + ", directory=" + directory
                            + "; give each instance on this machine a state.dir of its own",
                    e);
        } catch (IOException e) {
            throw failed("opening", e);
        }
    }

    private void closeAfter(StorageEngine engine, Throwable cause) {
        opened = null;
        Causes.closeAfter(cause, engine::close);
    }

    private String identity(StateStoreContext context, String kind) {
        return "format=2, application=" + context.applicationId() + ", task=" + context.taskId() + ", store=" + name
                + ", kind=" + kind;
    }

    private void checkIdentity(StorageEngine engine, Path directory, String expected) throws IOException {
        byte[] found = engine.get(IDENTITY_KEY);
        if (found == null) {
            if (engine.size() > 0) {
                throw new ProcessorStateException("the directory holds a store of something else: store=" + name
                        + ", directory=" + directory + ", keys=" + engine.size());
            }
            WriteBatch batch = new WriteBatch();
            batch.put(IDENTITY_KEY, expected.getBytes(StandardCharsets.UTF_8));
            batch.put(STATE_KEY, StateRecord.empty().encode());
            engine.write(batch);
        } else if (!expected.equals(new String(found, StandardCharsets.UTF_8))) {
            throw new ProcessorStateException("the directory holds another state store: directory=" + directory
                    + ", expected=[" + expected + "], found=[" + new String(found, StandardCharsets.UTF_8)
                    + "]; nothing was changed. Put the directory back to its place, or remove it, so that the store is"
                    + " restored from its changelog");
        }
    }

    private void loadState(StorageEngine engine, Path directory) throws IOException {
        byte[] record = engine.get(STATE_KEY);
        if (record == null) {
            throw new ProcessorStateException(
                    "the state record is missing: store=" + name + ", directory=" + directory);
        }
        StateRecord found = StateRecord.decode(record);
        boolean isLogged = !found.offsets().isEmpty();
        if (found.hasUncommitted() && isLogged && !exactlyOnce) {
            throw new ProcessorStateException(
                    "the store holds changes of a transaction that may have been aborted, and "
                            + "processing is no longer exactly-once: store=" + name
                            + "; remove the directory, so that the store is"
                            + " restored from its changelog: " + directory);
        }
        // Without an offset, Kafka Streams removes the store under exactly-once, and restores it.
        state = found.hasUncommitted() ? new StateRecord(Map.of(), found.position(), found.streamTime(), true) : found;
        position = found.position().copy(); // it changes with each put, and the record does not
        streamTime = found.streamTime();
        changes = new Changes();
    }

    boolean isOpen() {
        return opened != null;
    }

    /**
     * Closes the store. Changes that were not committed are forgotten: the changelog has them, or they were aborted.
     */
    void close() {
        Opened open = opened;
        opened = null;
        changes = new Changes();
        if (open != null) {
            try {
                open.engine.close();
            } catch (IOException e) {
                throw failed("closing", e);
            }
        }
    }

    /** Returns what is the same from one opening to the next close, for {@link #ensureOpenAs}. */
    Object opening() {
        return open();
    }

    /** Refuses to go on with what was begun in an earlier opening of the store. */
    void ensureOpenAs(Object opening) {
        if (opened != opening) {
            throw new InvalidStateStoreException("the store was closed since: store=" + name);
        }
    }

    byte @Nullable [] get(byte[] key, boolean isCommittedOnly) {
        if (key.length > StorageEngine.MAX_KEY_LENGTH) {
            open();
            return null; // nobody could put it
        }
        byte[] changed = isCommittedOnly ? null : changes.get(key);
        if (changed != null) {
            return changed == Changes.DELETED ? null : changed;
        }
        try {
            return engine().get(key);
        } catch (IOException e) {
            throw failed("reading", e);
        }
    }

    /** Puts a value, or deletes the key if it is null. */
    void put(byte[] key, byte @Nullable [] value) {
        Opened open = open();
        if (key.length > StorageEngine.MAX_KEY_LENGTH) {
            throw new ProcessorStateException("the key is too long: store=" + name + ", length=" + key.length
                    + ", limit=" + StorageEngine.MAX_KEY_LENGTH + ", with what the store adds to it");
        }
        changes.put(key, value == null ? Changes.DELETED : value);
        open.context.recordMetadata().ifPresent(each -> {
            if (each.topic() != null) {
                position = position.withComponent(each.topic(), each.partition(), each.offset());
            }
        });
    }

    /** Writes the changes if they take more memory than allowed. Called when a whole change of a store is made. */
    void makeRoom() {
        if (!transactional && changes.bytes() > options.maxUncommittedBytes()) {
            write(state.offsets(), state.hasUncommitted() || exactlyOnce, null);
        }
    }

    Cursor range(byte[] from, byte[] to, boolean toInclusive, boolean descending, boolean isCommittedOnly) {
        Changes above = isCommittedOnly ? new Changes() : changes;
        Range range = Range.all().from(from, true).to(to, toInclusive).descending(descending);
        try {
            Cursor committed = open().ordered.range(range);
            try {
                return new LayeredCursor(above.range(from, to, toInclusive, descending), committed, descending);
            } catch (IOException | RuntimeException | Error e) {
                committed.close(); // or its snapshot would keep files until the store is closed
                throw e;
            }
        } catch (IOException e) {
            throw failed("reading", e);
        }
    }

    /** Returns the number of entries; changes that are not committed count as if each made one. */
    long approximateSize() {
        try {
            return Math.max(0, engine().size() - OWN_RECORDS) + changes.size();
        } catch (IOException e) {
            throw failed("counting", e);
        }
    }

    long streamTime() {
        return streamTime;
    }

    /** Moves the stream time on. */
    void observe(long timestamp) {
        if (timestamp > streamTime) {
            streamTime = timestamp;
        }
    }

    /** Returns how far in the input the store is, with what is not committed or without. */
    Position position(boolean isCommittedOnly) {
        return (isCommittedOnly ? state.position() : position).copy();
    }

    /** Returns the number of the partition that the task reads. */
    int partition() {
        return open().context.taskId().partition();
    }

    long uncommittedBytes() {
        return transactional ? changes.bytes() : 0;
    }

    @Nullable Long committedOffset(TopicPartition partition) {
        return state.offsets().get(partition);
    }

    /**
     * Writes everything that was changed, with the offsets. Without any, all offsets are forgotten; one that is null
     * is.
     *
     * @param expiredBefore entries before this key are removed, some of them now; null if nothing expires
     */
    void commit(Map<TopicPartition, Long> offsets, byte @Nullable [] expiredBefore) {
        Map<TopicPartition, Long> all = new HashMap<>();
        if (!offsets.isEmpty()) {
            all.putAll(state.offsets());
            all.putAll(offsets);
            all.values().removeIf(each -> each == null);
        }
        int written = changes.size();
        write(all, false, expiredBefore);
        if (expiredBefore != null) {
            removeExpired(expiredBefore, Math.max(EXPIRED_PER_COMMIT, 2 * written));
        }
    }

    private void write(Map<TopicPartition, Long> offsets, boolean hasUncommitted, byte @Nullable [] expiredBefore) {
        StorageEngine engine = engine();
        StateRecord next = new StateRecord(Map.copyOf(offsets), position.copy(), streamTime, hasUncommitted);
        if (changes.isEmpty() && next.equals(state)) {
            return;
        }
        if (expiredBefore != null) {
            changes.removeBefore(expiredBefore);
        }
        WriteBatch batch = new WriteBatch();
        changes.addTo(batch);
        try {
            batch.put(STATE_KEY, next.encode());
            engine.write(batch);
        } catch (IOException e) {
            throw failed("writing", e);
        }
        // After the write: a reader finds each change in one of the two at any time.
        state = next;
        changes = new Changes();
    }

    private void removeExpired(byte[] before, int limit) {
        try (Cursor cursor = open().ordered
                .range(Range.all().from(Keys.FIRST, true).to(before, false).limit(limit))) {
            WriteBatch batch = new WriteBatch();
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                batch.delete(entry.key());
                if (batch.size() == EXPIRED_BATCH) {
                    engine().write(batch);
                    batch.clear();
                }
            }
            if (batch.size() > 0) {
                engine().write(batch);
            }
        } catch (IOException e) {
            throw failed("removing expired entries from", e);
        }
    }

    private StorageEngine engine() {
        return open().engine;
    }

    private Opened open() {
        Opened open = opened;
        if (open == null) {
            throw new InvalidStateStoreException("the store is not open: store=" + name);
        }
        return open;
    }

    RuntimeException failed(String doing, Throwable cause) {
        return cause instanceof EngineClosedException
                ? new InvalidStateStoreException("the store is closed: store=" + name, cause)
                : new ProcessorStateException(doing + " the store failed: store=" + name, cause);
    }
}
