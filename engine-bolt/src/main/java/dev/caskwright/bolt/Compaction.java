package dev.caskwright.bolt;

import dev.caskwright.bolt.tree.TailPages;
import dev.caskwright.bolt.tree.Tree;
import java.io.IOException;
import java.util.List;

/**
 * Makes a file shorter beside readers and writers: moves the pages at its end to free places nearer to its start, some a commit,
 * and then cuts off what is free at the end.
 *
 * <p>A page that was moved is free once no reader needs it; then a commit lowers the high-water mark. The meta page of the commit
 * before still has the old mark, so the file is cut only after the next commit, when neither needs what is cut off.
 */
final class Compaction {
    private static final int MAX_PASSES = 8; // over all pages; each but the last moves something

    private final BoltDatabase database;
    private final int pagesPerCommit;

    Compaction(BoltDatabase database, int pagesPerCommit) {
        this.database = database;
        this.pagesPerCommit = pagesPerCommit;
    }

    void run() throws IOException {
        for (int pass = 0; pass < MAX_PASSES; pass++) {
            long from = firstToMove();
            List<TailPages.Place> places;
            try (BoltTransaction reader = database.beginRead()) {
                places = from < reader.meta().highWater() ? reader.tailPages(from) : List.of();
            }
            for (int done = 0; done < places.size(); done += pagesPerCommit) {
                move(places.subList(done, Math.min(places.size(), done + pagesPerCommit)), from);
            }
            long before = database.fileLength();
            cut();
            if (places.isEmpty() || (pass > 0 && database.fileLength() == before)) {
                return;
            }
        }
    }

    /** Returns the page from which on pages are moved: after it there are as many in use as are free before it. */
    private long firstToMove() {
        return database.stats().pages()
                - database.stats().freePages()
                - database.stats().pendingPages();
    }

    private void move(List<TailPages.Place> places, long from) throws IOException {
        try (BoltTransaction transaction = database.beginWrite()) {
            for (TailPages.Place place : places) {
                Tree tree = transaction.tree();
                for (byte[] name : TailPages.Path.names(place.bucket())) {
                    tree = tree == null ? null : tree.bucket(name);
                }
                if (tree != null) { // otherwise it was deleted meanwhile
                    tree.touch(place.key(), from);
                }
            }
            transaction.changes().lowersHighWater = true;
            transaction.commit();
        }
    }

    /** Commits until what is free at the end is cut off: once to free what was moved, once for the other meta page. */
    private void cut() throws IOException {
        for (int i = 0; i < 3; i++) {
            try (BoltTransaction transaction = database.beginWrite()) {
                transaction.changes().lowersHighWater = true;
                transaction.commit();
            }
        }
        database.cutFile();
    }
}
