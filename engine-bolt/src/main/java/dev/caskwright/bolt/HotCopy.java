package dev.caskwright.bolt;

import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Copies the state of a read transaction, as a file of its own, beside commits. */
final class HotCopy {
    private static final int PIECE_LENGTH = 256 << 10;

    private HotCopy() {}

    /** Takes the bytes of the copy from its start to its end. */
    @FunctionalInterface
    interface Target {
        void write(byte[] bytes, int offset, int length) throws IOException;
    }

    static void write(PageStore store, Meta meta, Target target) throws IOException {
        write(store, meta, null, target);
    }

    static void write(PageStore store, Meta meta, @Nullable BackupMark mark, Target target) throws IOException {
        int pageSize = store.pageSize();
        byte[] metas = new byte[2 * pageSize];
        // The other meta page names the same state under the number before: should one be lost, the other one does.
        long earlier = Math.max(0, meta.transaction() - 1);
        for (Meta each : new Meta[] {meta, meta.withTransaction(earlier)}) {
            each.write(ByteBuffer.wrap(metas)
                    .slice((int) each.page() * pageSize, pageSize)
                    .order(store.order()));
        }
        if (mark != null) {
            mark.put(metas);
        }
        target.write(metas, 0, metas.length);
        byte[] piece = new byte[PIECE_LENGTH];
        long end = meta.highWater() * pageSize;
        for (long offset = metas.length; offset < end; ) {
            int length = (int) Math.min(PIECE_LENGTH, end - offset);
            store.copy(offset, piece, length);
            target.write(piece, 0, length);
            offset += length;
        }
    }
}
