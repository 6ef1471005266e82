package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.map.MapCursor;
import java.io.IOException;
import java.util.zip.CRC32C;

/**
 * Hashes revisions as etcd's HashKV does: CRC-32C over the name of the bucket and then keys and values as they are stored, of all
 * revisions up to one. Those that a compaction removes count only if they are needed to read at the revision that is hashed, so it
 * does not matter how far the compaction has come. If no key is there at that revision, all that is stored counts.
 */
final class RevisionHash {
    private RevisionHash() {}

    static int of(Contents contents, OrderedStore.View view, long revision) throws IOException {
        CRC32C hash = new CRC32C();
        hash.update(Schema.KEY.name());
        boolean skips = isAnyThere(contents, revision);
        byte[] end = Schema.revision(revision + 1, 0);
        try (OrderedStore.Cursor cursor = view.range(Schema.KEY, null, end, false)) {
            while (cursor.next()) {
                byte[] key = cursor.key();
                byte[] value = cursor.value();
                if (!skips || Schema.main(key) > contents.compacted() || isNeeded(contents, key, value, revision)) {
                    hash.update(key);
                    hash.update(value);
                }
            }
        }
        return (int) hash.getValue();
    }

    private static boolean isAnyThere(Contents contents, long revision) {
        MapCursor<KeyHistory> cursor = contents.index().cursor();
        for (boolean isThere = cursor.seek(null); isThere; isThere = cursor.next()) {
            if (cursor.value().at(revision) >= 0) {
                return true;
            }
        }
        return false;
    }

    private static boolean isNeeded(Contents contents, byte[] key, byte[] value, long revision) throws IOException {
        KeyHistory history = contents.index().get(Schema.decode(key, value).key());
        int entry = history == null ? -1 : history.at(revision);
        return history != null
                && entry >= 0
                && history.main(entry) == Schema.main(key)
                && history.sub(entry) == Schema.sub(key);
    }
}
