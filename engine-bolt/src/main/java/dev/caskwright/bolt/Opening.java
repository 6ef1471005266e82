package dev.caskwright.bolt;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bolt.check.Reachable;
import dev.caskwright.bolt.freelist.Freelist;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.bolt.page.PageStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Opens a file: takes its lock, makes it if it is missing, finds its newest sound meta page, and reads its list of free pages.
 * Nothing of a file that is there is changed: what is written to it is what it has.
 *
 * <p>A new file is written so that its meta pages come last, after a force of the rest. So a file without a sound meta page, each byte
 * of which is zero or that of a new file, is one whose creation was cut short: nothing was committed to it, and it is made again.
 */
final class Opening {
    private static final int NEW_FILE_PAGES = 4;
    private static final long FREELIST_PAGE = 2;
    private static final long ROOT_PAGE = 3;
    private static final int MAX_PROBED_PAGE_SIZE = 16 << 20;
    private static final long MAX_TRANSACTION = Long.MAX_VALUE >>> 1; // some are left for those that follow

    private final ReadableFile file;
    private final String name;

    private Opening(ReadableFile file) {
        this.file = file;
        this.name = file.name();
    }

    static BoltDatabase open(IoManager io, String name, BoltBuilder.Options options) throws IOException {
        IoManager.Lock lock = null;
        ReadableFile file = null;
        try {
            if (options.readOnly()) {
                lock = lock(io, name, false, options.requiresLock());
                file = io.openPagedReadOnly(name);
            } else {
                if (!io.list().contains(name)) {
                    if (!options.createIfMissing()) {
                        throw new NoSuchFileException(io.describe() + "/" + name);
                    }
                    io.openPaged(name, true).close();
                }
                // First the lock, then the file: while this waits for the lock, another file may take the name, and
                // what was
                // opened before would be one that nobody finds again.
                lock = lock(io, name, true, options.requiresLock());
                PagedFile writable = io.openPaged(name, false);
                file = writable;
                if (new Opening(writable).isUnfinished()) {
                    create(io, writable, options.pageSize());
                }
            }
            return new Opening(file).database(io, lock, options);
        } catch (Throwable e) {
            closeAll(e, file, lock, io);
            throw e;
        }
    }

    /**
     * Takes the lock of a file.
     *
     * @param isRequired whether it is an error that the system cannot lock the file; that somebody else has it always is
     */
    static IoManager.Lock lock(IoManager io, String name, boolean exclusive, boolean isRequired) throws IOException {
        try {
            return io.lockFile(name, exclusive);
        } catch (EngineLockedException e) {
            throw e;
        } catch (IOException e) {
            if (isRequired) {
                throw new IOException(
                        "the file cannot be locked, so other programs could write to it: file=" + name
                                + "; install util-linux, or open it with requiresLock(false): " + e.getMessage(),
                        e);
            }
            LoggerFactory.getLogger(Opening.class)
                    .warn(
                            "opened without a lock, other programs can write to the file: file={}, {}",
                            name,
                            e.getMessage());
            return () -> {};
        }
    }

    private static void closeAll(Throwable cause, @Nullable AutoCloseable... resources) {
        for (AutoCloseable resource : resources) {
            try {
                if (resource != null) {
                    resource.close();
                }
            } catch (Exception e) {
                Causes.add(cause, e);
            }
        }
    }

    /** Returns whether the file is empty, or was being made when its maker died: no byte of it is anything else. */
    private boolean isUnfinished() throws IOException {
        long length = file.length();
        if (length > (long) NEW_FILE_PAGES * PageFormat.MAX_PAGE_SIZE || newestMetaOrNull() != null) {
            return false;
        }
        byte[] bytes = new byte[(int) length];
        int read = file.read(0, bytes, 0, bytes.length);
        for (int pageSize = PageFormat.MIN_PAGE_SIZE; pageSize <= PageFormat.MAX_PAGE_SIZE; pageSize *= 2) {
            byte[] whole = newPages(pageSize);
            writeMetas(whole, pageSize);
            if (isPartOf(bytes, read, whole)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isPartOf(byte[] bytes, int length, byte[] whole) {
        for (int i = 0; i < length; i++) {
            if (bytes[i] != 0 && (i >= whole.length || bytes[i] != whole[i])) {
                return false;
            }
        }
        return length <= whole.length;
    }

    /** Returns the pages of a new file, without its meta pages. */
    private static byte[] newPages(int pageSize) {
        byte[] bytes = new byte[NEW_FILE_PAGES * pageSize];
        ByteBuffer pages = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        header(pages, (int) FREELIST_PAGE * pageSize, FREELIST_PAGE, PageFormat.FREELIST);
        header(pages, (int) ROOT_PAGE * pageSize, ROOT_PAGE, PageFormat.LEAF);
        return bytes;
    }

    private static void create(IoManager io, PagedFile file, int pageSize) throws IOException {
        byte[] pages = newPages(pageSize);
        if (file.length() > 0) {
            file.truncate(0);
        }
        file.grow(pages.length);
        file.write(2L * pageSize, pages, 2 * pageSize, 2 * pageSize);
        file.force();
        io.syncDirectory();
        writeMetas(pages, pageSize);
        file.write(0, pages, 0, 2 * pageSize);
        file.force();
    }

    private static void writeMetas(byte[] pages, int pageSize) {
        for (int transaction = 0; transaction < 2; transaction++) {
            new Meta(pageSize, 0, ROOT_PAGE, 0, FREELIST_PAGE, NEW_FILE_PAGES, transaction)
                    .write(ByteBuffer.wrap(pages)
                            .slice(transaction * pageSize, pageSize)
                            .order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    private static void header(ByteBuffer pages, int start, long id, int flags) {
        pages.putLong(start + PageFormat.ID_OFFSET, id);
        pages.putShort(start + PageFormat.FLAGS_OFFSET, (short) flags);
    }

    private BoltDatabase database(IoManager io, IoManager.Lock lock, BoltBuilder.Options options) throws IOException {
        Meta meta = newestMeta();
        checkMeta(meta);
        PageStore store = new PageStore(file, meta.pageSize(), order(meta));
        store.cover(file.length());
        if (!isInPlace(meta)) {
            // The next commit must not write over this state. So it counts as one later: then the other meta page is
            // next.
            meta = meta.withTransaction(meta.transaction() + 1);
        }
        Freelist freelist = null;
        long listPages = 0;
        if (!options.readOnly()) {
            if (store.order() != ByteOrder.LITTLE_ENDIAN) {
                throw new UnsupportedFormatException(
                        "file was written on a big-endian machine, it can be read only: file=" + name);
            }
            freelist = new Freelist();
            listPages = readFreelist(store, meta, freelist);
            makeDurable((PagedFile) file, meta.pageSize());
        }
        return new BoltDatabase(io, lock, file, store, freelist, listPages, meta, options);
    }

    /**
     * Writes the meta pages again as they are, and forces them. One that was read may be in the memory of the system only, after a
     * force that failed: the next commit would write over what the state before it needs, and a power loss would then leave
     * neither. The force alone would not help, as the system takes pages for clean whose writing failed.
     */
    private static void makeDurable(PagedFile written, int pageSize) throws IOException {
        for (int page = 0; page < 2; page++) {
            byte[] bytes = new byte[Meta.LENGTH];
            long offset = (long) page * pageSize;
            if (written.read(offset, bytes, 0, bytes.length) == bytes.length) {
                written.write(offset, bytes, 0, bytes.length);
            }
        }
        written.force();
    }

    // ---------------------------------------------------------------- meta pages

    private Meta newestMeta() throws IOException {
        Meta newest = newestMetaOrNull();
        if (newest == null) {
            throw noMeta();
        }
        return newest;
    }

    private @Nullable Meta newestMetaOrNull() throws IOException {
        Meta first = metaAt(0);
        if (first != null && !isPageSize(first.pageSize())) {
            first = null; // so the other one cannot be found by it
        }
        Meta second = null;
        if (first != null) {
            second = metaAt(first.pageSize());
            if (second != null && second.pageSize() != first.pageSize()) {
                second = null;
            }
        } else {
            for (int pageSize = PageFormat.MIN_PAGE_SIZE;
                    pageSize <= MAX_PROBED_PAGE_SIZE && second == null;
                    pageSize *= 2) {
                second = metaAt(pageSize);
                if (second != null && second.pageSize() != pageSize) {
                    second = null;
                }
            }
        }
        if (first == null || (second != null && Long.compareUnsigned(second.transaction(), first.transaction()) > 0)) {
            first = second;
        }
        return first;
    }

    private static boolean isPageSize(int bytes) {
        return bytes >= PageFormat.MIN_PAGE_SIZE && bytes <= MAX_PROBED_PAGE_SIZE && Integer.bitCount(bytes) == 1;
    }

    /** Returns whether a meta page lies where a commit of its number writes it, as not all do that tools have copied. */
    private boolean isInPlace(Meta meta) throws IOException {
        return meta.equals(metaAt(meta.page() * meta.pageSize()));
    }

    private @Nullable Meta metaAt(long offset) throws IOException {
        byte[] bytes = new byte[Meta.LENGTH];
        int read = file.read(offset, bytes, 0, bytes.length);
        return read < bytes.length ? null : Meta.read(ByteBuffer.wrap(bytes));
    }

    private ByteOrder order(Meta meta) throws IOException {
        for (long offset : new long[] {0, meta.pageSize()}) {
            byte[] bytes = new byte[Meta.LENGTH];
            if (file.read(offset, bytes, 0, bytes.length) == bytes.length) {
                ByteBuffer page = ByteBuffer.wrap(bytes);
                if (meta.equals(Meta.read(page))) {
                    ByteOrder order = Meta.orderOf(page);
                    if (order != null) {
                        return order;
                    }
                }
            }
        }
        throw noMeta();
    }

    private IOException noMeta() throws IOException {
        byte[] bytes = new byte[Meta.LENGTH];
        int read = file.read(0, bytes, 0, bytes.length);
        ByteBuffer page = ByteBuffer.wrap(bytes);
        ByteOrder order = read < bytes.length ? null : Meta.orderOf(page);
        if (order == null) {
            return new UnsupportedFormatException("not a bolt file: file=" + name + ", length=" + file.length());
        }
        int version = Meta.versionOf(page, order);
        return version > Meta.VERSION
                ? new UnsupportedFormatException("bolt file of a version that is not known: file=" + name + ", version="
                        + version + ", known=" + Meta.VERSION)
                : new CorruptRecordException("both meta pages are damaged", name, 0, "length=" + file.length());
    }

    private void checkMeta(Meta meta) throws IOException {
        int pageSize = meta.pageSize();
        if (meta.transaction() < 0 || meta.transaction() > MAX_TRANSACTION) {
            throw damagedMeta(
                    meta,
                    "no such transaction number",
                    "transaction=" + Long.toUnsignedString(meta.transaction()) + ", allowed=" + MAX_TRANSACTION);
        }
        long length = file.length();
        long pages = length / pageSize;
        if (meta.highWater() < NEW_FILE_PAGES - 1 || meta.highWater() > pages) {
            throw damagedMeta(
                    meta,
                    "file is cut short",
                    "highWater=" + meta.highWater() + ", pages=" + pages + ", length=" + length);
        }
        if (meta.highWater() > PageFormat.MAX_PAGES) {
            throw new UnsupportedFormatException("file has more pages than this engine reads: file=" + name + ", pages="
                    + meta.highWater() + ", allowed=" + PageFormat.MAX_PAGES);
        }
        if (meta.root() < 2 || meta.root() >= meta.highWater()) {
            throw damagedMeta(meta, "no such root page", "root=" + meta.root() + ", highWater=" + meta.highWater());
        }
        if (meta.freelist() != Meta.NO_FREELIST && (meta.freelist() < 2 || meta.freelist() >= meta.highWater())) {
            throw damagedMeta(
                    meta, "no such freelist page", "freelist=" + meta.freelist() + ", highWater=" + meta.highWater());
        }
    }

    private CorruptRecordException damagedMeta(Meta meta, String rule, String details) {
        return new CorruptRecordException(rule, name, meta.page() * meta.pageSize(), details);
    }

    // ---------------------------------------------------------------- free pages

    /** Adds all free pages; returns how many the list takes, 0 if there is none. */
    private long readFreelist(PageStore store, Meta meta, Freelist freelist) throws IOException {
        try {
            if (meta.freelist() != Meta.NO_FREELIST) {
                return FreelistPage.read(store, meta, freelist::addFree);
            }
            Reachable reachable = Reachable.of(store, meta);
            for (long page = 2; page < meta.highWater(); page++) {
                if (!reachable.contains(page)) {
                    freelist.addFree(page);
                }
            }
            return 0;
        } catch (OutOfMemoryError e) {
            throw new EngineException(
                    ErrorCode.OUT_OF_MEMORY,
                    Outcome.NOT_APPLIED,
                    "the free pages do not fit into the heap: file=" + name + ", pages=" + meta.highWater()
                            + "; give the JVM a greater heap, or open the file read-only",
                    e);
        }
    }
}
