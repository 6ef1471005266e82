package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.OrderedStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * A compaction is noted as scheduled before it removes anything, and as finished when it has removed all. What it removes is found from
 * the revisions themselves, from the oldest on: so one that was cut short begins again, and finds less to do. It takes revisions away
 * only from what nobody may read any more, since the mark was set before, in the same order of commits.
 */
/** Removes, slice by slice, the revisions that a compaction does not keep. For one thread. */
final class Compactor {
    private final MvccStore store;
    private final long compacted;
    private final int sliceRevisions;
    private final long discards; // as of its start: if writes are lost, it must begin again
    private byte[] next = Schema.revision(0, 0); // the first revision that no slice has dealt with

    Compactor(MvccStore store, long compacted, int sliceRevisions, long discards) {
        this.store = store;
        this.compacted = compacted;
        this.sliceRevisions = sliceRevisions;
        this.discards = discards;
    }

    /** Returns whether it still does what is to be done. */
    boolean isFor(long revision, long lost) {
        return compacted == revision && discards == lost;
    }

    /** Looks at some revisions and removes those that are not kept; returns whether there are more. */
    boolean slice() throws IOException {
        List<byte[]> doomed = new ArrayList<>();
        List<byte[]> keys = new ArrayList<>();
        byte[] end = find(doomed, keys);
        store.removeRevisions(doomed, keys, compacted, end == null, discards);
        if (end == null) {
            return false;
        }
        next = end; // last: a slice that fails is done again
        return true;
    }

    /** Returns where the next slice begins, or null if there is none. */
    private byte @Nullable [] find(List<byte[]> doomed, List<byte[]> keys) throws IOException {
        byte[] position = next;
        byte[] end = Schema.revision(compacted + 1, 0);
        Contents contents = store.contents();
        try (BackendView view = store.openView();
                OrderedStore.Cursor cursor = view.range(Schema.KEY, position, end, false)) {
            for (int looked = 0; looked < sliceRevisions; looked++) {
                if (!cursor.next()) {
                    return null;
                }
                byte[] revision = cursor.key();
                Schema.checkRevision(revision);
                long main = Schema.main(revision);
                long sub = Schema.sub(revision);
                position = Schema.revision(main, sub + 1);
                byte[] key = Schema.decode(revision, cursor.value()).key();
                KeyHistory history = contents.index().get(key);
                if (history == null || Schema.isTombstone(revision) || !history.keeps(compacted, main, sub)) {
                    doomed.add(revision);
                    keys.add(key);
                }
            }
            return position;
        }
    }
}
