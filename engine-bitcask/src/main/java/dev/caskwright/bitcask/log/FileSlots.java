package dev.caskwright.bitcask.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The open files by the numbers that locators name them with. Readers take the array as it is; changes replace it. A slot
 * is given anew once its file is removed, which is after every reader that could hold its number has left.
 */
final class FileSlots {
    /** Makes a file for the slot it is given. */
    @FunctionalInterface
    interface Maker {
        DataFile make(int slot);
    }

    private final BitSet used = new BitSet();
    private volatile @Nullable DataFile[] files = new DataFile[0];

    synchronized DataFile add(Maker maker) throws IOException {
        int slot = used.nextClearBit(0);
        if (slot >= Locator.MAX_SLOTS) {
            throw new IOException("too many data files: limit=" + Locator.MAX_SLOTS + "; merge to have fewer");
        }
        DataFile file = maker.make(slot);
        DataFile[] copy = Arrays.copyOf(files, Math.max(files.length, slot + 1));
        copy[slot] = file;
        used.set(slot);
        files = copy;
        return file;
    }

    synchronized void remove(DataFile file) {
        DataFile[] copy = files.clone();
        copy[file.slot()] = null;
        files = copy;
        used.clear(file.slot());
    }

    /** Returns the file of a slot that the caller has from a current locator. */
    DataFile get(int slot) {
        return files[slot];
    }

    /** Returns the files by slot; the array does not change. */
    @Nullable DataFile[] all() {
        return files;
    }

    /** Returns the files in the order of the log. */
    List<DataFile> inOrder() {
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
