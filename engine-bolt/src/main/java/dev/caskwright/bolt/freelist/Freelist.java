package dev.caskwright.bolt.freelist;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Which pages of a file are free, and which wait for readers.
 *
 * <p>A run that transaction {@code f} frees, and that transaction {@code a} allocated, is read by the readers of the states
 * {@code a} to {@code f - 1}. It is free as soon as no such reader is left: a reader that came before {@code a} or after
 * {@code f} does not hold it back. Until then it is <i>pending</i>. A pending run is kept with one reader that needs it, and
 * looked at again only when that one has gone, so that one old reader costs the commits after it nothing.
 *
 * <p>Which transaction allocated a run need be known only while a reader of an earlier state is there; it is remembered for as
 * long, and for a run of which it is not known, 0 stands for it.
 *
 * <p>Whatever is thrown on the way, such as by want of memory, each run stays in one of the lists: what is going to be changed is
 * noted first, so that {@link #rollback} can take it back.
 *
 * <p>Guarded by the database's writer lock, except for {@link #freePages}, {@link #pendingPages} and {@link #oldestReaderPages}.
 */
public final class Freelist {
    private static final long NO_READER = -1;

    private final PageSet free = new PageSet();
    private final PageSet listed = new PageSet(); // free or pending
    private final Map<Long, Pending> pendingByReader = new HashMap<>();
    private final List<Run> undecided = new ArrayList<>(); // pending until the next transaction knows its readers
    private final Map<Long, Long> allocatedBy = new HashMap<>();
    private final List<Run> freedNow = new ArrayList<>();
    private final List<Run> allocatedNow = new ArrayList<>();
    private long runSearchStart;
    private long runSearchPages;
    private volatile long freePages;
    private volatile long pendingPages;

    private volatile long oldestReaderPages;

    private static final class Pending {
        final List<Run> runs = new ArrayList<>();
        long pages;
    }

    private record Run(long first, long pages, long allocatedBy, long freedBy) {
        boolean isReadBy(long reader) {
            return allocatedBy <= reader && reader < freedBy;
        }
    }

    /** Adds a page that nothing refers to, while a file is opened; returns whether it was not there. */
    public boolean addFree(long page) {
        if (!listed.add(page)) {
            return false;
        }
        free.add(page);
        freePages = free.count();
        return true;
    }

    /** Returns whether a page is free or pending. */
    public boolean contains(long page) {
        return listed.contains(page);
    }

    /** Returns how many pages are free. */
    public long freePages() {
        return freePages;
    }

    /** Returns how many pages wait for readers. */
    public long pendingPages() {
        return pendingPages;
    }

    /** Returns how many pages wait for the reader of the oldest state, and possibly for later ones as well. */
    public long oldestReaderPages() {
        return oldestReaderPages;
    }

    /** Returns how many pages the list has, free and pending. */
    public long count() {
        return listed.count();
    }

    /**
     * Frees what no reader needs. At the start of a write transaction.
     *
     * @param readers the states that readers read, ascending
     */
    public void release(long[] readers) {
        for (Iterator<Map.Entry<Long, Pending>> each =
                        pendingByReader.entrySet().iterator();
                each.hasNext(); ) {
            Map.Entry<Long, Pending> pending = each.next();
            if (Arrays.binarySearch(readers, pending.getKey()) < 0) {
                undecided.addAll(pending.getValue().runs);
                each.remove();
            }
        }
        for (int last = undecided.size() - 1; last >= 0; last--) {
            Run run = undecided.get(last);
            long reader = readerOf(run, readers);
            if (reader == NO_READER) {
                free.addRun(run.first, run.pages);
            } else {
                Pending pending = pendingByReader.computeIfAbsent(reader, key -> new Pending());
                pending.runs.add(run);
                pending.pages += run.pages;
            }
            undecided.remove(last);
        }
        runSearchPages = 0;
        updateFigures();
    }

    private static long readerOf(Run run, long[] readers) {
        int place = Arrays.binarySearch(readers, run.allocatedBy);
        int first = place >= 0 ? place : -place - 1;
        return first < readers.length && run.isReadBy(readers[first]) ? readers[first] : NO_READER;
    }

    /**
     * Takes a run of free pages, the lowest that fits.
     *
     * @return its first page, or -1 if there is none: then the file grows
     */
    public long allocate(long pages) {
        long from = runSearchPages != 0 && pages >= runSearchPages ? runSearchStart : 0;
        long first = free.nextRun(from, pages);
        if (pages > 1) {
            // No run as long starts before this one; nothing becomes free within a transaction.
            runSearchPages = pages;
            runSearchStart = first < 0 ? Long.MAX_VALUE >>> 1 : first;
        }
        if (first < 0) {
            return -1;
        }
        allocatedNow.add(new Run(first, pages, 0, 0));
        free.removeRun(first, pages);
        listed.removeRun(first, pages);
        return first;
    }

    /** Notes a run that was taken at the end of the file. */
    public void allocatedAtEnd(long first, long pages) {
        allocatedNow.add(new Run(first, pages, 0, 0));
    }

    /**
     * Takes the free pages at the end of the file, so that they are not part of it any more.
     *
     * @param highWater the first page after the end
     * @return the first page after the new end
     */
    public long takeTail(long highWater) {
        long end = highWater;
        while (end > 2 && free.contains(end - 1)) {
            end--;
        }
        allocatedNow.add(new Run(end, highWater - end, 0, 0));
        free.removeRun(end, highWater - end);
        listed.removeRun(end, highWater - end);
        return end;
    }

    /**
     * Frees a run in this transaction; returns false if a page of it is free or pending already, so that two places refer to
     * it.
     */
    public boolean free(long first, long pages, long transaction) {
        for (long page = first; page < first + pages; page++) {
            if (listed.contains(page)) {
                return false;
            }
        }
        Long allocated = allocatedBy.get(first);
        freedNow.add(new Run(first, pages, allocated == null ? 0 : allocated, transaction));
        listed.addRun(first, pages);
        return true;
    }

    /**
     * Ends a transaction that is committed. If this fails for want of memory, it is to be done again before the next transaction:
     * until then the lists are as they were.
     */
    public void commit(long transaction, long[] readers) {
        if (readers.length == 0 || readers[0] >= transaction) {
            allocatedBy.clear();
        } else {
            for (Run run : freedNow) {
                allocatedBy.remove(run.first);
            }
            for (Run run : allocatedNow) {
                allocatedBy.put(run.first, transaction);
            }
        }
        undecided.addAll(freedNow); // the last step that may want memory
        forgetTransaction();
    }

    /** Ends a transaction that is rolled back: everything is as before it. Needs no memory. */
    @SuppressWarnings("ForLoopReplaceableByForEach") // which makes iterators
    public void rollback(long highWater) {
        for (int i = 0; i < freedNow.size(); i++) {
            Run run = freedNow.get(i);
            listed.removeRun(run.first, run.pages);
        }
        for (int i = 0; i < allocatedNow.size(); i++) {
            Run run = allocatedNow.get(i);
            for (long page = run.first; page < Math.min(highWater, run.first + run.pages); page++) {
                free.add(page);
                listed.add(page);
            }
        }
        forgetTransaction();
    }

    private void forgetTransaction() {
        freedNow.clear();
        allocatedNow.clear();
        runSearchPages = 0;
        countPages();
    }

    private void countPages() {
        freePages = free.count();
        pendingPages = listed.count() - free.count();
    }

    private void updateFigures() {
        countPages();
        long oldest = Long.MAX_VALUE;
        long pages = 0;
        for (Map.Entry<Long, Pending> each : pendingByReader.entrySet()) {
            if (each.getKey() < oldest) {
                oldest = each.getKey();
                pages = each.getValue().pages;
            }
        }
        oldestReaderPages = pages;
    }

    /** Returns the least page at or after {@code from} that is free or pending, or -1. */
    public long next(long from) {
        return listed.next(from);
    }
}
