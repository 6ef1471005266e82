package dev.caskwright.owner;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns requests into answers. */
final class Request {
    private static final List<Class<? extends Facet>> FACETS =
            List.of(OrderedView.class, ChangeFeed.class, Merging.class, Backups.class);

    private Request() {}

    /** Returns whether the answer holds something of the store while the client reads it. */
    static boolean isStream(byte op) {
        return op == Wire.SCAN || op == Wire.CHANGES;
    }

    static boolean isKnown(byte op) {
        return op >= Wire.STAT && op <= Wire.MOMENT;
    }

    /**
     * Begins to answer a request.
     *
     * @param mayHoldMuch whether the answer may be a read of a long value
     * @param done called when an answer that was not there at once is there, by another thread
     */
    static Answer answer(byte op, byte[] arguments, Door door, boolean mayHoldMuch, Runnable done) throws IOException {
        StorageEngine store = door.store();
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(arguments));
        return switch (op) {
            case Wire.STAT -> Answer.of(new byte[][] {Wire.bytes(report(door)::writeTo)});
            case Wire.GET -> Answer.entry(store, arguments, mayHoldMuch);
            case Wire.SCAN -> scan(store, in);
            case Wire.CHANGES -> new Answer.Changes(store, in.readBoolean(), Wire.readMoment(in));
            case Wire.BACKUP -> copy(in, store.require(Backups.class)::backup, done);
            case Wire.CHECKPOINT -> copy(in, store.require(Backups.class)::checkpoint, done);
            case Wire.MERGE -> merge(store, done);
            case Wire.MOMENT -> moment(store);
            default -> throw new IOException("the owner does not know this request: op=" + op);
        };
    }

    static OwnerReport report(Door door) {
        StorageEngine store = door.store();
        Runtime heap = Runtime.getRuntime();
        Throwable failure = store.health();
        return new OwnerReport(
                ProcessHandle.current().pid(),
                door.openedAtMillis(),
                System.currentTimeMillis(),
                heap.totalMemory() - heap.freeMemory(),
                heap.maxMemory(),
                store.describe(),
                failure == null ? "" : failure.toString(),
                store.retries().stream().map(Object::toString).toList(),
                FACETS.stream()
                        .filter(facet -> store.facet(facet).isPresent())
                        .map(Class::getSimpleName)
                        .toList(),
                store.durableVersion(),
                store.stats());
    }

    private static Answer moment(StorageEngine store) throws IOException {
        ChangeFeed.Moment moment = store.require(ChangeFeed.class).moment();
        return Answer.of(new byte[][] {Wire.bytes(out -> Wire.writeMoment(out, moment))});
    }

    private static Answer scan(StorageEngine store, DataInputStream in) throws IOException {
        boolean isOrdered = in.readBoolean();
        boolean isDescending = in.readBoolean();
        long limit = in.readLong();
        byte @Nullable [] start = in.readBoolean() ? Wire.readBytes(in) : null;
        boolean isInclusive = in.readBoolean();
        if (limit < 0) {
            throw new IOException("bad request: limit=" + limit);
        }
        if (!isOrdered) {
            return Answer.Scan.unordered(store, limit);
        }
        Range range = Range.all().descending(isDescending).limit(limit);
        if (start != null) {
            range = isDescending ? range.to(start, isInclusive) : range.from(start, isInclusive);
        }
        return Answer.Scan.ordered(store, range);
    }

    /** Copies a store to a path. */
    @FunctionalInterface
    private interface Copy {
        CopyReport to(Path target) throws IOException;
    }

    private static Answer copy(DataInputStream in, Copy copy, Runnable done) throws IOException {
        Path target = Path.of(Wire.readText(in));
        if (!target.isAbsolute()) {
            throw new IOException("bad request, the target is not an absolute path: target=" + target);
        }
        return Errands.begin(
                () -> {
                    CopyReport report = copy.to(target);
                    return Wire.bytes(out -> Wire.writeCopy(out, report));
                },
                done);
    }

    private static Answer merge(StorageEngine store, Runnable done) throws IOException {
        Merging merging = store.require(Merging.class);
        return Errands.begin(
                () -> {
                    merging.merge();
                    return new byte[] {1};
                },
                done);
    }
}
