package dev.caskwright.bitcask.log.file;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes files that the store does not need any more. One that cannot be deleted takes space and does no other harm, so
 * that is no failure: it is tried again with the next file, and what is left in the end goes when the store is opened.
 * Safe for any number of threads.
 */
public final class Unneeded {
    private final IoManager io;

    @GuardedBy("this") private final List<String> left = new ArrayList<>();

    public Unneeded(IoManager io) {
        this.io = io;
    }

    public synchronized void delete(String name) {
        left.add(name);
        left.removeIf(each -> isDeleted(io, each));
    }

    /** Deletes a file, if it can; returns whether the file is gone. */
    public static boolean isDeleted(IoManager io, String name) {
        try {
            io.delete(name);
            return true;
        } catch (IOException e) {
            logger().warn(
                            "a file that is not needed any more cannot be deleted, will try again later: {}",
                            e.toString());
            return isGone(io, name);
        }
    }

    /** Deletes a file if there is one. */
    public static void deleteIfThere(IoManager io, String name) throws IOException {
        if (io.list().contains(name)) {
            io.delete(name);
        }
    }

    /** A deletion may fail after it was done. */
    private static boolean isGone(IoManager io, String name) {
        try {
            return !io.list().contains(name);
        } catch (IOException e) {
            logger().warn("whether a file is still there cannot be told: {}", e.toString());
            return false;
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Unneeded.class);
    }
}
