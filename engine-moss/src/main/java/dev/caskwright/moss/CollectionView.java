package dev.caskwright.moss;

import dev.caskwright.api.Range;
import dev.caskwright.moss.memory.Keys;
import dev.caskwright.moss.memory.MergingCursor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a collection that is known by the names that lead to it. Its number is looked up in the view that is read. */
class CollectionView implements MossView {
    private static final int MISSING = -1;
    private static final byte[] NOTHING = {};

    private final ViewSource source;
    private final @Nullable CollectionView parent;
    private final byte[] name;

    CollectionView(ViewSource source) {
        this(source, null, NOTHING);
    }

    CollectionView(ViewSource source, @Nullable CollectionView parent, byte[] name) {
        this.source = source;
        this.parent = parent;
        this.name = name;
    }

    final ViewSource source() {
        return source;
    }

    private int number(View view) throws IOException {
        if (parent == null) {
            return 0;
        }
        int above = parent.number(view);
        if (above == MISSING) {
            return MISSING;
        }
        byte[] stored = view.search(KeySpace.childEntry(above, name)).value();
        return stored == null ? MISSING : KeySpace.number(stored);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        Writes.checkKey(key);
        View view = source.hold();
        try {
            int number = number(view);
            return number == MISSING
                    ? null
                    : view.search(KeySpace.key(KeySpace.prefix(number), key)).value();
        } finally {
            view.stack.bottom.release();
        }
    }

    @Override
    public MossIterator iterator(Range range) throws IOException {
        View view = source.hold();
        try {
            int number = number(view);
            return number == MISSING
                    ? new MossIterator(source, view, KeySpace.prefix(0), range.limit(0))
                    : new MossIterator(source, view, KeySpace.prefix(number), range);
        } catch (Throwable e) {
            view.stack.bottom.release();
            throw e;
        }
    }

    @Override
    public MossView child(String childName) {
        return new CollectionView(source, this, KeySpace.name(childName));
    }

    @Override
    public boolean exists() throws IOException {
        View view = source.hold();
        try {
            return number(view) != MISSING;
        } finally {
            view.stack.bottom.release();
        }
    }

    @Override
    public List<String> childNames() throws IOException {
        List<String> names = new ArrayList<>();
        View view = source.hold();
        try {
            int number = number(view);
            if (number == MISSING) {
                return names;
            }
            byte[] from = KeySpace.childEntry(number, NOTHING);
            byte[] to = Keys.endOfPrefix(from);
            MergingCursor cursor = view.cursor(false);
            try {
                cursor.startAt(from);
                while (cursor.next() && (to == null || cursor.compareKey(to) < 0)) {
                    names.add(KeySpace.childName(cursor.key()));
                }
            } finally {
                cursor.close();
            }
        } finally {
            view.stack.bottom.release();
        }
        return names;
    }
}
