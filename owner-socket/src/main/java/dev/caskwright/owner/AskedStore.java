package dev.caskwright.owner;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeVisitor;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A store that another process has open, as that process shows it: each call asks the owner over its {@link OwnerSocket}. Reads,
 * figures, changes, backups and merges are answered; writes are refused.
 *
 * <p>It holds {@link OrderedView}, {@link ChangeFeed}, {@link Merging} and {@link Backups} where the owner's store does. Each call is
 * a question of its own: between two calls the store may have changed, and the owner may have gone, which is an {@link
 * IOException}. Safe for any number of threads.
 */
public final class AskedStore implements StorageEngine {
    private static final byte[] NOTHING = {};

    private final Path socket;
    private final OwnerReport first;

    private AskedStore(Path socket, OwnerReport first) {
        this.socket = socket;
        this.first = first;
    }

    /**
     * Asks the owner of a store.
     *
     * @param place the directory of the store, or its file
     * @return the store, or empty if it has no owner that can be asked: there is no socket, or nobody listens on it
     * @throws IOException if there is an owner, and it does not answer, or refuses
     */
    public static Optional<AskedStore> of(Path place) throws IOException {
        Path socket = SocketPath.of(place);
        if (!SocketPath.isSocket(socket)) {
            return Optional.empty();
        }
        Optional<Question> question = Question.ask(socket, Wire.STAT, NOTHING);
        if (question.isEmpty()) {
            return Optional.empty();
        }
        try (Question open = question.get()) {
            return Optional.of(new AskedStore(socket, OwnerReport.read(new DataInputStream(open.answer()))));
        }
    }

    /** Asks the owner how it and the store are. */
    public OwnerReport report() throws IOException {
        try (Question question = ask(Wire.STAT, NOTHING)) {
            return OwnerReport.read(new DataInputStream(question.answer()));
        }
    }

    /** Returns what the owner said when this was opened. */
    public OwnerReport firstReport() {
        return first;
    }

    private Question ask(byte op, byte[] arguments) throws IOException {
        return Question.ask(socket, op, arguments)
                .orElseThrow(() -> new EngineException(
                        ErrorCode.UNAVAILABLE,
                        Outcome.NOT_APPLIED,
                        "the owner of the store has gone: socket=" + socket,
                        null));
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Entry entry = entry(key);
        return entry == null ? null : entry.value();
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return entry(key) != null;
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        if (key.length == 0 || key.length > MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "bad length of a key: length=" + key.length + ", allowed=1.." + MAX_KEY_LENGTH);
        }
        try (Question question = ask(Wire.GET, key)) {
            DataInputStream in = new DataInputStream(question.answer());
            return in.readBoolean() ? Wire.readEntry(in) : null;
        }
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        try (Cursor cursor = cursor()) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                if (!visitor.visit(entry)) {
                    return;
                }
            }
        }
    }

    @Override
    public Cursor cursor() throws IOException {
        return scan(false, Range.all());
    }

    private Cursor scan(boolean isOrdered, Range range) throws IOException {
        byte[] start = range.start();
        Question question = ask(Wire.SCAN, Wire.bytes(out -> {
            out.writeBoolean(isOrdered);
            out.writeBoolean(range.isDescending());
            out.writeLong(range.limit());
            out.writeBoolean(start != null);
            if (start != null) {
                Wire.writeBytes(out, start);
            }
            out.writeBoolean(range.isStartInclusive());
        }));
        DataInputStream in = new DataInputStream(question.answer());
        return new Cursor() {
            private boolean isOver;

            @Override
            public @Nullable Entry next() throws IOException {
                if (isOver || !in.readBoolean()) {
                    isOver = true;
                    return null;
                }
                Entry entry = Wire.readEntry(in);
                isOver = !range.isBeforeEnd(entry.key());
                return isOver ? null : entry;
            }

            @Override
            public void close() {
                question.close();
            }
        };
    }

    private void merge() throws IOException {
        try (Question question = ask(Wire.MERGE, NOTHING)) {
            new DataInputStream(question.answer()).readByte();
        }
    }

    private CopyReport copy(byte op, Path target) throws IOException {
        try (Question question = ask(
                op,
                Wire.bytes(out ->
                        Wire.writeText(out, target.toAbsolutePath().normalize().toString())))) {
            return Wire.readCopy(new DataInputStream(question.answer()));
        }
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        if (!first.facets().contains(kind.getSimpleName())) {
            return Optional.empty();
        }
        Object facet = null;
        if (kind == OrderedView.class) {
            facet = (OrderedView) range -> scan(true, range);
        } else if (kind == ChangeFeed.class) {
            facet = new AskedFeed();
        } else if (kind == Merging.class) {
            facet = (Merging) this::merge;
        } else if (kind == Backups.class) {
            facet = new AskedBackups();
        }
        return facet == null ? Optional.empty() : Optional.of(kind.cast(facet));
    }

    /** The changes of the owner's store. */
    private final class AskedFeed implements ChangeFeed {
        @Override
        public long changes(long version, ChangeVisitor visitor) throws IOException {
            return changes(false, new Moment(0, version), visitor).version();
        }

        @Override
        public Moment changes(Moment after, ChangeVisitor visitor) throws IOException {
            return changes(true, after, visitor);
        }

        private Moment changes(boolean isOfStore, Moment after, ChangeVisitor visitor) throws IOException {
            try (Question question = ask(Wire.CHANGES, Wire.bytes(out -> {
                out.writeBoolean(isOfStore);
                Wire.writeMoment(out, after);
            }))) {
                DataInputStream in = new DataInputStream(question.answer());
                Moment last = after;
                while (in.readBoolean()) {
                    ChangeVisitor.Change change = Wire.readChange(in);
                    last = change.moment();
                    if (!visitor.visit(change)) {
                        break;
                    }
                }
                return last;
            }
        }

        @Override
        public Moment moment() throws IOException {
            try (Question question = ask(Wire.MOMENT, NOTHING)) {
                return Wire.readMoment(new DataInputStream(question.answer()));
            }
        }
    }

    /** Copies that the owner makes: of its store, with its rights. */
    private final class AskedBackups implements Backups {
        @Override
        public CopyReport backup(Path target) throws IOException {
            return copy(Wire.BACKUP, target);
        }

        @Override
        public CopyReport checkpoint(Path target) throws IOException {
            return copy(Wire.CHECKPOINT, target);
        }
    }

    @Override
    public String describe() {
        return first.engine() + ", asked of its owner: pid=" + first.pid();
    }

    @Override
    public long size() throws IOException {
        return report().stats().keys();
    }

    @Override
    public EngineStats stats() {
        try {
            return report().stats();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public @Nullable Throwable health() {
        return first.failure().isEmpty() ? null : new IOException(first.failure());
    }

    @Override
    public long durableVersion() {
        return first.durableVersion();
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        throw refusal("put");
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        throw refusal("delete");
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        throw refusal("write");
    }

    @Override
    public Snapshot snapshot() throws IOException {
        throw refusal("snapshot");
    }

    @Override
    public void sync() throws IOException {
        throw refusal("sync");
    }

    private EngineException refusal(String call) {
        return new EngineException(
                ErrorCode.READ_ONLY,
                Outcome.NOT_APPLIED,
                "the owner of the store is asked for reads, copies and merges only: call=" + call + ", owner="
                        + first.pid(),
                null);
    }

    @Override
    public void close() {}
}
