package dev.caskwright.bitcask.log.hint;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.BloomFilter;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Compares a hint file, entry by entry, with the records of its data file, which are all sound. Right checksums, and a sum
 * that the manifest has, do not make an entry true. For one thread.
 */
public final class HintCheck {
    private static final String NOT_SOUND = "hint file is not sound; it is rebuilt when the store is opened";

    private final FileScanner scanner;
    private final @Nullable BloomFilter filter;
    private @Nullable String problem;

    private HintCheck(DataFile file, @Nullable BloomFilter filter) {
        this.scanner = FileScanner.ofKeys(file, file.start(), file.length());
        this.filter = filter;
    }

    /** Returns what is wrong with the hint file of a data file, or null. */
    public static @Nullable String problem(IoManager io, StoreId store, DataFile file) throws IOException {
        HintCheck check = new HintCheck(file, HintFile.filter(io, store, file));
        boolean isSound = HintFile.visit(io, store, file, check::compare);
        if (!isSound || check.filter == null) {
            return NOT_SOUND;
        }
        if (check.problem == null && check.nextRecord()) {
            check.problem = "hint file lacks the record at offset " + check.scanner.offset();
        }
        return check.problem;
    }

    private void compare(int kind, long place, byte[] source, int keyOffset, int keyLength) throws IOException {
        if (problem != null) {
            return;
        }
        if (!nextRecord()) {
            problem = "hint file has an entry of no record: offset=" + Locator.offset(place);
            return;
        }
        boolean isTrue = (kind == RecordFormat.PUT) == scanner.isPut()
                && place == Locator.withoutSlot(scanner.locator())
                && Arrays.equals(
                        source,
                        keyOffset,
                        keyOffset + keyLength,
                        scanner.buffer(),
                        scanner.keyOffset(),
                        scanner.keyOffset() + scanner.keyLength());
        if (!isTrue) {
            problem = "hint file says something else than the record at offset " + scanner.offset();
        } else if (filter != null && !filter.mayContain(source, keyOffset, keyLength)) {
            problem = "key filter lacks the key of the record at offset " + scanner.offset();
        }
    }

    /** Moves on to the next put or tombstone; returns whether there is one. */
    private boolean nextRecord() throws IOException {
        while (scanner.next()) {
            if (scanner.isPut() || scanner.isTombstone()) {
                return true;
            }
        }
        return false;
    }
}
