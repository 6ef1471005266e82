package dev.caskwright.bolt;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.bolt.page.PageStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A bolt file page by page, for tools: it can be looked at even if it is damaged, as long as one meta page is sound. Nothing is
 * changed. The file is not locked, so what another process writes meanwhile may be seen in part.
 *
 * <p>For one thread.
 */
public final class BoltFile implements AutoCloseable {
    private static final int MAX_PROBED_PAGE_SIZE = 16 << 20;

    private final IoManager io;
    private final ReadableFile file;
    private final PageStore store;
    private final @Nullable Meta[] metas = new Meta[2];
    private final Meta newest;
    private final BitSet free = new BitSet();

    /**
     * A page as its header tells.
     *
     * @param id the number by which it was asked for
     * @param kind what it is
     * @param count elements, or entries of a freelist
     * @param overflow pages of the run after this one
     */
    public record PageInfo(long id, Kind kind, int count, long overflow) {}

    /** What a page is. */
    public enum Kind {
        /** One of the first two. */
        META,
        /** It leads to other pages. */
        BRANCH,
        /** It has keys and values. */
        LEAF,
        /** It lists the free pages. */
        FREELIST,
        /** The freelist has it. */
        FREE,
        /** Its header is of no page. */
        UNKNOWN
    }

    /**
     * An element of a branch or leaf.
     *
     * @param key its key
     * @param value its value; empty for a branch
     * @param isBucket whether the value is a bucket
     * @param child the page that a branch's element leads to, otherwise 0
     */
    @SuppressWarnings("ArrayRecordComponent") // elements are not compared
    public record Item(byte[] key, byte[] value, boolean isBucket, long child) {}

    /**
     * A meta page.
     *
     * @param page 0 or 1
     * @param transaction the transaction that wrote it
     * @param root root page of the root bucket
     * @param freelist page of the freelist, -1 if there is none
     * @param highWater the first page that was never used
     */
    public record MetaInfo(long page, long transaction, long root, long freelist, long highWater) {}

    private BoltFile(IoManager io, ReadableFile file) throws IOException {
        this.io = io;
        this.file = file;
        metas[0] = metaAt(0);
        int pageSize = metas[0] != null ? metas[0].pageSize() : 0;
        for (int probed = PageFormat.MIN_PAGE_SIZE; pageSize == 0 && probed <= MAX_PROBED_PAGE_SIZE; probed *= 2) {
            Meta second = metaAt(probed);
            pageSize = second != null && second.pageSize() == probed ? probed : 0;
        }
        if (pageSize < PageFormat.MIN_PAGE_SIZE || pageSize > MAX_PROBED_PAGE_SIZE || Integer.bitCount(pageSize) != 1) {
            throw new UnsupportedFormatException("no sound meta page: file=" + file.name());
        }
        metas[1] = metaAt(pageSize);
        Meta first = metas[0];
        Meta second = metas[1];
        boolean isSecondNewer = second != null
                && (first == null || Long.compareUnsigned(second.transaction(), first.transaction()) > 0);
        Meta chosen = isSecondNewer ? second : first;
        if (chosen == null) {
            throw new UnsupportedFormatException("no sound meta page: file=" + file.name());
        }
        newest = chosen;
        store = new PageStore(file, pageSize, orderAt(chosen.page() * pageSize));
        readFreelist();
    }

    /** Opens a file for looking at its pages. */
    public static BoltFile open(Path path, IoManagerFactory factory) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path directory = absolute.getParent();
        Path name = absolute.getFileName();
        if (directory == null || name == null) {
            throw new IllegalArgumentException("not a file: " + path);
        }
        IoManager io = factory.open(directory, false);
        try {
            ReadableFile file = io.openPagedReadOnly(name.toString());
            try {
                return new BoltFile(io, file);
            } catch (Throwable e) {
                file.close();
                throw e;
            }
        } catch (Throwable e) {
            io.close();
            throw e;
        }
    }

    private @Nullable Meta metaAt(long offset) throws IOException {
        byte[] bytes = new byte[Meta.LENGTH];
        return file.read(offset, bytes, 0, bytes.length) < bytes.length ? null : Meta.read(ByteBuffer.wrap(bytes));
    }

    private ByteOrder orderAt(long offset) throws IOException {
        byte[] bytes = new byte[Meta.LENGTH];
        file.read(offset, bytes, 0, bytes.length);
        ByteOrder order = Meta.orderOf(ByteBuffer.wrap(bytes));
        return order == null ? ByteOrder.LITTLE_ENDIAN : order;
    }

    private void readFreelist() {
        if (newest.freelist() == Meta.NO_FREELIST) {
            return;
        }
        try {
            FreelistPage.read(store, newest, page -> {
                free.set((int) page);
                return true;
            });
        } catch (IOException e) {
            free.clear(); // a damaged list says nothing; the check of the file tells of it
        }
    }

    /** Returns the length of a page in bytes. */
    public int pageSize() {
        return store.pageSize();
    }

    /** Returns how many pages the newest state has. */
    public long pages() throws IOException {
        return Math.min(newest.highWater(), file.length() / pageSize());
    }

    /** Returns the meta pages that are sound, the newest state first. */
    public List<MetaInfo> metas() {
        List<MetaInfo> sound = new ArrayList<>();
        Meta other = newest.equals(metas[0]) ? metas[1] : metas[0];
        sound.add(info(newest));
        if (other != null) {
            sound.add(info(other));
        }
        return sound;
    }

    private static MetaInfo info(Meta meta) {
        return new MetaInfo(meta.page(), meta.transaction(), meta.root(), meta.freelist(), meta.highWater());
    }

    /** Returns what the header of a page tells. */
    public PageInfo page(long id) throws IOException {
        checkId(id);
        ByteBuffer header = store.copy(id * pageSize(), PageFormat.HEADER_LENGTH);
        int count = header.getShort(PageFormat.COUNT_OFFSET) & 0xFFFF;
        long overflow = header.getInt(PageFormat.OVERFLOW_OFFSET) & 0xFFFFFFFFL;
        if (id >= 2 && free.get((int) id)) {
            return new PageInfo(id, Kind.FREE, 0, 0);
        }
        Kind kind = switch (header.getShort(PageFormat.FLAGS_OFFSET) & 0xFFFF) {
            case PageFormat.META -> Kind.META;
            case PageFormat.BRANCH -> Kind.BRANCH;
            case PageFormat.LEAF -> Kind.LEAF;
            case PageFormat.FREELIST -> Kind.FREELIST;
            default -> Kind.UNKNOWN;
        };
        boolean isPossible = header.getLong(PageFormat.ID_OFFSET) == id && overflow < pages() - id;
        return isPossible ? new PageInfo(id, kind, count, overflow) : new PageInfo(id, Kind.UNKNOWN, count, 0);
    }

    private void checkId(long id) throws IOException {
        if (id < 0 || id >= pages()) {
            throw new IllegalArgumentException("no such page: page=" + id + ", pages=" + pages());
        }
    }

    /**
     * Returns the elements of a branch or leaf page.
     *
     * @throws dev.caskwright.api.CorruptRecordException if the page is neither, or is damaged
     */
    public List<Item> items(long id) throws IOException {
        checkId(id);
        Page page = new Page(file.name());
        store.read(id, newest.highWater(), page);
        List<Item> items = new ArrayList<>(page.count());
        for (int i = 0; i < page.count(); i++) {
            page.look(i);
            if (page.isLeaf()) {
                items.add(new Item(page.key(), page.value(), page.isBucket(), 0));
            } else {
                items.add(new Item(page.key(), new byte[0], false, page.child(i)));
            }
        }
        return items;
    }

    /** Returns the bytes of a page and of the pages that belong to it. */
    public byte[] bytes(long id) throws IOException {
        PageInfo info = page(id);
        long length = (info.overflow() + 1) * pageSize();
        if (length > Integer.MAX_VALUE - 8) {
            throw new IOException("page is too long to be shown: page=" + id + ", length=" + length);
        }
        byte[] bytes = new byte[(int) length];
        store.copy(id * pageSize(), bytes, bytes.length);
        return bytes;
    }

    PageStore store() {
        return store;
    }

    Meta newest() {
        return newest;
    }

    @Nullable Meta older() {
        return newest.equals(metas[0]) ? metas[1] : metas[0];
    }

    long length() throws IOException {
        return file.length();
    }

    @Override
    public void close() throws IOException {
        try (io) {
            file.close();
        }
    }
}
