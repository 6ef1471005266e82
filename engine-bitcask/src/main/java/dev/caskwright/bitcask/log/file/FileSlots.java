package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bitcask.log.format.Locator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The open files by the numbers that locators name them with. Readers take the array as it is; changes replace it. A slot
 * is reused once its file is removed, which is after every reader that could hold its number has left.
 *
 * <p>While a store is opened, slots can be set aside for files by their ids, so that locators in an image mean what they
 * meant when it was saved.
 */
public final class FileSlots {
    /** Makes a file for the slot it is given. */
    @FunctionalInterface
    public interface Maker {
        DataFile make(int slot);
    }

    private final Supplier<String> index;
    private final BitSet used = new BitSet();
    private final Map<Long, Integer> reserved = new HashMap<>();
    private volatile @Nullable DataFile[] files = new DataFile[0];

    /** @param index names the file that locators may have come from, for errors */
    public FileSlots(Supplier<String> index) {
        this.index = index;
    }

    /** Sets a slot aside that no file has, for the file with this id. */
    public synchronized void reserve(long id, int slot) {
        reserved.put(id, slot);
        used.set(slot);
    }

    /** Gives back the slots that were set aside for files that did not come. */
    public synchronized void endReserving() {
        reserved.values().forEach(used::clear);
        reserved.clear();
    }

    public synchronized DataFile add(long id, Maker maker) throws IOException {
        Integer own = reserved.get(id);
        int slot = own == null ? used.nextClearBit(0) : own;
        if (slot >= Locator.MAX_SLOTS) {
            throw new IOException("too many data files: limit=" + Locator.MAX_SLOTS + "; merge to have fewer");
        }
        DataFile file = maker.make(slot);
        DataFile[] copy = Arrays.copyOf(files, Math.max(files.length, slot + 1));
        copy[slot] = file;
        used.set(slot);
        reserved.remove(id);
        files = copy;
        return file;
    }

    public synchronized void remove(DataFile file) {
        DataFile[] copy = files.clone();
        copy[file.slot()] = null;
        files = copy;
        used.clear(file.slot());
    }

    /** Returns the file of a slot that the caller has from a current locator, or null if the locator is made up. */
    public @Nullable DataFile get(int slot) {
        @Nullable DataFile[] now = files;
        return slot < now.length ? now[slot] : null;
    }

    /** Returns the file of a locator that the caller holds within a read epoch or by a pin. */
    public DataFile file(long locator) throws CorruptRecordException {
        DataFile file = get(Locator.slot(locator));
        if (file == null) {
            throw noFile(locator);
        }
        return file;
    }

    /** A locator without a file can only come from an image that is sound and yet not what was saved. */
    private CorruptRecordException noFile(long locator) {
        return new CorruptRecordException(
                "locator leads to no file",
                index.get(),
                0,
                "slot=" + Locator.slot(locator) + ", place=" + Locator.offset(locator));
    }

    /** Returns the files by slot; the array does not change. */
    public @Nullable DataFile[] all() {
        return files;
    }

    /** Returns the files in the order of the log. */
    public List<DataFile> inOrder() {
        List<DataFile> ordered = new ArrayList<>();
        for (DataFile file : files) {
            if (file != null) {
                ordered.add(file);
            }
        }
        ordered.sort(Comparator.comparingLong(DataFile::id));
        return ordered;
    }
}
