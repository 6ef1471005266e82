package dev.caskwright.server.command;

import dev.caskwright.server.store.KeyWalk;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The scans that clients have begun. A cursor is the number of a scan and of the next page of it. The last page is kept, so that
 * a client that did not get it can ask for it again.
 *
 * <p>A scan shows each key that is there from its begin to its end, whatever is written meanwhile: it is a walk over the store as
 * it was at the begin. Such a walk keeps old files from being deleted, so there are at most 64, and one that nobody has asked for
 * in 60 seconds is given up. Its cursor is an error then, and never a silent end. Safe for any number of threads.
 */
final class Scans implements AutoCloseable {
    private static final int MAX_SCANS = 64;
    private static final long IDLE_NANOS = 60_000_000_000L;
    /** A page ends at so many bytes of keys: the last page of each scan is kept. */
    private static final int MAX_PAGE_BYTES = 256 << 10;

    private static final int PAGE_BITS = 32;
    private static final long PAGE_MASK = (1L << PAGE_BITS) - 1;

    private final Map<Long, Scan> scans = new LinkedHashMap<>();
    private long lastId;

    /** Some keys, each after the byte of its database, and where to go on; 0 at the end. */
    record Page(long cursor, List<byte[]> keys) {}

    private static final class Scan {
        private final long id;
        private final byte slot;
        private final List<KeyWalk> walks;
        private int walked;
        private long pages;
        private long usedNanos = System.nanoTime();
        private Page last = new Page(0, List.of());
        private boolean isEnded;

        Scan(long id, byte slot, List<KeyWalk> walks) {
            this.id = id;
            this.slot = slot;
            this.walks = walks;
        }

        private byte @Nullable [] next() throws IOException {
            while (walked < walks.size()) {
                byte[] key = walks.get(walked).next();
                if (key != null) {
                    return key;
                }
                walked++;
            }
            return null;
        }

        void close() {
            walks.forEach(KeyWalk::close);
        }

        synchronized Page next(long page, int size) throws IOException {
            if (page == pages - 1) {
                return last;
            }
            if (page != pages || isEnded) {
                throw lost();
            }
            List<byte[]> keys = new ArrayList<>();
            int bytes = 0;
            while (keys.size() < size && bytes < MAX_PAGE_BYTES) {
                byte[] key = next();
                if (key == null) {
                    isEnded = true;
                    close();
                    break;
                }
                keys.add(key);
                bytes += key.length;
            }
            pages++;
            last = new Page(isEnded ? 0 : id << PAGE_BITS | pages, keys);
            return last;
        }

        synchronized boolean isEnded() {
            return isEnded;
        }
    }

    private static CommandException lost() {
        return new CommandException(
                "ERR this cursor is not known any more: a scan is given up after 60 seconds, or when " + MAX_SCANS
                        + " others are in use; begin anew with SCAN 0");
    }

    /** Returns up to {@code size} keys of a scan, which cursor 0 begins. The prefix counts only then. */
    Page next(long cursor, byte slot, List<Keyspace.Part> parts, byte[] prefix, int size) throws IOException {
        Scan scan = cursor == 0 ? begin(slot, parts, prefix) : find(cursor >>> PAGE_BITS, slot);
        Page page = scan.next(cursor & PAGE_MASK, size);
        // A scan whose last page was the first is of no use any more; others are kept for a client that asks again.
        if (page.cursor() == 0 && cursor == 0) {
            end(scan);
        }
        return page;
    }

    private synchronized Scan begin(byte slot, List<Keyspace.Part> parts, byte[] prefix) throws IOException {
        giveUp();
        Scan scan = new Scan(++lastId, slot, walks(parts, prefix));
        scans.put(scan.id, scan);
        return scan;
    }

    private static List<KeyWalk> walks(List<Keyspace.Part> parts, byte[] prefix) throws IOException {
        List<KeyWalk> walks = new ArrayList<>();
        try {
            for (Keyspace.Part part : parts) {
                walks.add(part.walk(prefix));
            }
            return walks;
        } catch (IOException | RuntimeException e) {
            walks.forEach(KeyWalk::close);
            throw e;
        }
    }

    private synchronized Scan find(long id, byte slot) {
        Scan scan = scans.get(id);
        if (scan == null || scan.slot != slot) {
            throw lost();
        }
        scan.usedNanos = System.nanoTime();
        scans.remove(id);
        scans.put(id, scan);
        return scan;
    }

    private synchronized void end(Scan scan) {
        scans.remove(scan.id);
        scan.close();
    }

    /**
     * Gives up what was not used for long; and if there are too many, those that have ended, or else the one that was not used for
     * longest.
     */
    private void giveUp() {
        if (scans.size() >= MAX_SCANS) {
            scans.values().removeIf(Scan::isEnded);
        }
        Iterator<Scan> all = scans.values().iterator();
        while (all.hasNext()) {
            Scan oldest = all.next();
            if (scans.size() < MAX_SCANS && System.nanoTime() - oldest.usedNanos < IDLE_NANOS) {
                return;
            }
            all.remove();
            oldest.close();
        }
    }

    /** Gives up what was not used for long. */
    synchronized void expire() {
        giveUp();
    }

    synchronized int open() {
        return scans.size();
    }

    @Override
    public synchronized void close() {
        scans.values().forEach(scan -> scan.close());
        scans.clear();
    }
}
