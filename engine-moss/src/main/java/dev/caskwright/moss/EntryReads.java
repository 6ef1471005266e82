package dev.caskwright.moss;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.moss.memory.Probe;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Reads the root collection in the terms of the engine API: entries with versions, cursors, visits. */
final class EntryReads {
    private static final byte[] ROOT = KeySpace.prefix(0);

    private EntryReads() {}

    /** Finds the present or a snapshot's entry of a key. */
    interface Search {
        Probe search(byte[] key) throws IOException;
    }

    private static Probe search(Search source, byte[] key) throws IOException {
        Writes.checkKey(key);
        return source.search(KeySpace.key(ROOT, key));
    }

    static int get(Search source, byte[] key, ByteBuffer target) throws IOException {
        Probe probe = search(source, key);
        byte[] found = probe.source();
        int length = probe.length();
        if (length >= 0 && found != null && length <= target.remaining()) {
            target.put(found, probe.offset(), length);
        }
        return length >= 0 ? length : ReadView.ABSENT;
    }

    static boolean contains(Search source, byte[] key) throws IOException {
        return search(source, key).isPresent();
    }

    static @Nullable Entry entry(Search source, byte[] key) throws IOException {
        Probe probe = search(source, key);
        byte[] value = probe.value();
        return value == null ? null : new Entry(key.clone(), value, probe.version(), Entry.NEVER);
    }

    static void visit(MossView view, EntryVisitor visitor) throws IOException {
        try (MossIterator iterator = view.iterator()) {
            while (iterator.next() && visitor.visit(entry(iterator))) {
                // until the end, or until the visitor has enough
            }
        }
    }

    private static Entry entry(MossIterator iterator) {
        return new Entry(iterator.key(), iterator.value(), iterator.version(), Entry.NEVER);
    }

    static Cursor cursor(MossIterator iterator) {
        return new Cursor() {
            @Override
            public @Nullable Entry next() throws IOException {
                return iterator.next() ? entry(iterator) : null;
            }

            @Override
            public void close() {
                iterator.close();
            }
        };
    }

    /** Entries, and the bytes of their keys and values. */
    record Count(long keys, long bytes) {
        static final Count NONE = new Count(0, 0);
    }

    static Count count(MossView view, Range range) throws IOException {
        long keys = 0;
        long bytes = 0;
        try (MossIterator iterator = view.iterator(range)) {
            while (iterator.next()) {
                keys++;
                bytes += iterator.keyView().remaining() + iterator.valueView().remaining();
            }
        }
        return new Count(keys, bytes);
    }
}
