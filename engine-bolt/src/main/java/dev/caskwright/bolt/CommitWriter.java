package dev.caskwright.bolt;

import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.bolt.freelist.Freelist;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageStore;
import dev.caskwright.bolt.tree.Node;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Writes the pages of a commit in the order of their places, neighbours in one call. */
final class CommitWriter {
    private static final int CHUNK_LENGTH = 128 << 10;

    private final PagedFile file;
    private final PageStore store;
    private byte[] chunk;
    private ByteBuffer view;
    private byte[] metaPage = {};
    private long metaOffset;
    private long chunkOffset;
    private int filled;
    private long writtenPages;

    CommitWriter(PagedFile file, PageStore store) {
        this.file = file;
        this.store = store;
        this.chunk = new byte[0];
        this.view = ByteBuffer.wrap(chunk);
    }

    /** Writes all nodes and the freelist. */
    void pages(BoltTransaction.Changes changes, Meta meta, Freelist freelist) throws IOException {
        List<Node> nodes = changes.nodes;
        nodes.sort(Comparator.comparingLong(Node::id));
        boolean isListWritten = changes.freelistPages == 0;
        for (Node node : nodes) {
            if (!isListWritten && meta.freelist() < node.id()) {
                list(changes, meta, freelist);
                isListWritten = true;
            }
            int start = room(node.id(), node.runPages());
            node.write(view, start, (int) (node.runPages() - 1));
            Arrays.fill(chunk, start + (int) node.length(), filled, (byte) 0);
        }
        if (!isListWritten) {
            list(changes, meta, freelist);
        }
        flush();
    }

    private void list(BoltTransaction.Changes changes, Meta meta, Freelist freelist) throws IOException {
        int start = room(meta.freelist(), changes.freelistPages);
        int length = (int) (changes.freelistPages * store.pageSize());
        Arrays.fill(chunk, start, start + length, (byte) 0);
        FreelistPage.write(
                freelist,
                meta.freelist(),
                changes.freelistPages,
                view.slice(start, length).order(store.order()));
    }

    /** Makes the meta page that {@link #meta} writes. */
    void prepareMeta(Meta meta) {
        metaPage = new byte[store.pageSize()];
        metaOffset = meta.page() * store.pageSize();
        meta.write(ByteBuffer.wrap(metaPage).order(store.order()));
    }

    /** Writes the meta page. */
    void meta() throws IOException {
        file.write(metaOffset, metaPage, 0, metaPage.length);
        writtenPages++;
    }

    /** Returns where in the chunk a run goes; what was there before is still there. */
    private int room(long id, long pages) throws IOException {
        long offset = id * store.pageSize();
        long length = pages * store.pageSize();
        writtenPages += pages;
        if (filled > 0 && (offset != chunkOffset + filled || filled + length > CHUNK_LENGTH)) {
            flush();
        }
        if (filled == 0) {
            chunkOffset = offset;
        }
        if (filled + length > chunk.length) {
            chunk = Arrays.copyOf(chunk, (int) Math.max(filled + length, Math.min(CHUNK_LENGTH, chunk.length * 4L)));
            view = ByteBuffer.wrap(chunk).order(store.order());
        }
        int start = filled;
        filled += (int) length;
        return start;
    }

    /** Returns how many pages were written. */
    long writtenPages() {
        return writtenPages;
    }

    private void flush() throws IOException {
        if (filled > 0) {
            file.write(chunkOffset, chunk, 0, filled);
            filled = 0;
        }
    }
}
