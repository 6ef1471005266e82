package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.bitcask.log.format.FileNames;
import java.util.NavigableSet;
import java.util.TreeSet;

/** Gives files their numbers, which grow. Under the write lock. */
public final class FileNumbers {
    private final Manifest manifest;
    private final NavigableSet<Long> taken = new TreeSet<>(); // of what is not ours
    private long highest;

    public FileNumbers(Manifest manifest) {
        this.manifest = manifest;
    }

    /** Says which numbers files have or had: up to this one. */
    public void start(long newHighest) {
        highest = newHighest;
    }

    long highest() {
        return highest;
    }

    /** Says that under a name with this number there is something that is not ours, so that the number is not used. */
    public void goPast(long number) {
        taken.add(number);
    }

    /** Returns the first of so many numbers, one after the other, that nothing has and nothing had. */
    public long take(int count) throws OutOfSpaceException {
        long first = firstFree(count);
        long most = Math.min(FileNames.MAX_NUMBER, manifest.highestId() + ForeignFiles.MOST_UNLISTED_NUMBERS);
        if (first + count - 1 > most) {
            throw new OutOfSpaceException(
                    "file numbers are used up: next=" + first + ", count=" + count + ", limit=" + most + "; "
                            + (most < FileNames.MAX_NUMBER ? "reopen the store" : "salvage it into a new one"),
                    null);
        }
        highest = first + count - 1;
        return first;
    }

    /** Gives back the last number that was taken, of a file that was not made. */
    public void giveBack(long number) {
        highest = number - 1;
    }

    private long firstFree(int count) {
        long first = highest + 1;
        Long next = taken.ceiling(first);
        while (next != null && next < first + count) {
            first = next + 1;
            next = taken.ceiling(first);
        }
        return first;
    }
}
