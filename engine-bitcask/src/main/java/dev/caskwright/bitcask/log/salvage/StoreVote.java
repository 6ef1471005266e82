package dev.caskwright.bitcask.log.salvage;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.StoreId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds out which store damaged files belong to. Data files, hint files and manifests have the store's id at the same
 * place of their headers, under a checksum at the same place; each sound header is one vote, and the first file asked wins
 * a draw.
 */
final class StoreVote {
    private final Map<StoreId, Integer> sound = new LinkedHashMap<>();
    private final Map<StoreId, Integer> unproved = new LinkedHashMap<>();

    /** Asks a file of the store. */
    void ask(ReadableFile file) throws IOException {
        byte[] header = new byte[FileHeader.LENGTH];
        int length = file.read(0, header, 0, header.length);
        if (length < FileHeader.STORE_END) {
            return;
        }
        boolean isSound = FileHeader.isSound(header, length);
        StoreId store = FileHeader.store(header);
        (isSound ? sound : unproved).merge(store, 1, Integer::sum);
    }

    /**
     * Returns the ids that the files may have, the likeliest first: only those of sound headers if there is one, otherwise
     * whatever stands at the place of the id, which the records of the files must prove.
     */
    List<StoreId> candidates() {
        Map<StoreId, Integer> votes = sound.isEmpty() ? unproved : sound;
        List<StoreId> candidates = new ArrayList<>(votes.keySet());
        candidates.sort((a, b) -> Integer.compare(votes.getOrDefault(b, 0), votes.getOrDefault(a, 0)));
        return candidates;
    }

    /** Returns whether the first candidate is the word of a sound header. */
    boolean isProved() {
        return !sound.isEmpty();
    }
}
