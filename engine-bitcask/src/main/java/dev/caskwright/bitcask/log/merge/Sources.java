package dev.caskwright.bitcask.log.merge;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where the records of a merge's output were before, in their order. Beyond the last {@value #HELD} it is kept in a file of
 * its own, which is a leftover for the next opening if it is not deleted: so a merge's memory does not grow with the number
 * of its records. For one thread.
 */
final class Sources {
    private static final int HELD = 32 << 10;
    private static final int PIECE = HELD * Long.BYTES;

    private final IoManager io;
    private final String name;
    private long[] locators = new long[1024]; // from here on, those that are not in the file
    private int held;
    private long written;
    private @Nullable WritableFile file;
    private int next;
    private long read;

    Sources(IoManager io, long id) {
        this.io = io;
        this.name = FileNames.image(id); // no image has that number, so it is a leftover if it is found later
    }

    void add(long locator) throws IOException {
        if (held == locators.length) {
            if (held < HELD) {
                locators = Arrays.copyOf(locators, held * 2);
            } else {
                spill();
            }
        }
        locators[held++] = locator;
    }

    private void spill() throws IOException {
        WritableFile open = file;
        if (open == null) {
            open = io.createSequential(name, PIECE);
            file = open;
        }
        byte[] piece = new byte[held * Long.BYTES];
        for (int i = 0; i < held; i++) {
            RecordFormat.LONG.set(piece, i * Long.BYTES, locators[i]);
        }
        open.write(written, piece, 0, piece.length);
        written += piece.length;
        held = 0;
    }

    /** Says that all were added. */
    void finish() throws IOException {
        if (file != null) {
            spill();
        }
        rewind();
    }

    /** Has {@link #next} start with the first. */
    void rewind() {
        if (file != null) {
            held = 0;
        }
        next = 0;
        read = 0;
    }

    long next() throws IOException {
        WritableFile open = file;
        if (open != null && next == held) {
            int length = (int) Math.min(PIECE, written - read);
            byte[] piece = new byte[length];
            if (length == 0 || open.read(read, piece, 0, length) < length) {
                throw new IOException("what a merge noted is missing: file=" + name + ", offset=" + read);
            }
            read += length;
            held = length / Long.BYTES;
            for (int i = 0; i < held; i++) {
                locators[i] = (long) RecordFormat.LONG.get(piece, i * Long.BYTES);
            }
            next = 0;
        }
        return locators[next++];
    }

    /** Gives back the memory and the file. */
    void close(Unneeded unneeded) throws IOException {
        locators = new long[0];
        WritableFile open = file;
        file = null;
        if (open != null) {
            try {
                open.close();
            } finally {
                unneeded.delete(name);
            }
        }
    }
}
