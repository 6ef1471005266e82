package dev.caskwright.bitcask.replay;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.bitcask.log.segmented.ClosedLog;
import dev.caskwright.bitcask.store.RecordKeyMatcher;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares the image of the key index with what the log says of the same moment, key by key. The layout is the index's own,
 * so an index reads it; another one of its kind is filled from the log. If there is no memory for both, the second is filled
 * with a part of the keys at a time.
 *
 * <p>An image that none of the indexes given can read, or that takes more memory than there is, is not compared: opening
 * could not use it either.
 */
public final class ImageCheck {
    private static final int MOST_PARTS = 1 << 10;

    private final IoManager io;
    private final KeyIndexFactory factory;
    private final @Nullable Encryption encryption;

    private ImageCheck(IoManager io, KeyIndexFactory factory, @Nullable Encryption encryption) {
        this.io = io;
        this.factory = factory;
        this.encryption = encryption;
    }

    /** Receives what is wrong with an image. */
    @FunctionalInterface
    public interface Listener {
        void damaged(String file, String what);
    }

    /** Checks the image of a store that is sound and has no writer, with the first of these indexes that can read it. */
    public static void run(
            IoManager io, List<? extends KeyIndexFactory> indexes, @Nullable Encryption encryption, Listener listener)
            throws IOException {
        for (KeyIndexFactory each : indexes) {
            if (new ImageCheck(io, each, encryption).run(listener)) {
                return;
            }
        }
    }

    /** Returns whether there is nothing left to check. */
    private boolean run(Listener listener) throws IOException {
        RecordLogOpening opening = ClosedLog.open(io, encryption);
        try {
            String image = ClosedLog.imageOf(opening);
            if (image == null) {
                return true;
            }
            try (KeyIndex index = factory.open(context(opening))) {
                String problem;
                if (index instanceof PersistentKeyIndex loaded && opening.loadImage(loaded, ImageCheck::refuse)) {
                    problem = problem(opening, loaded);
                } else {
                    String refusal = ClosedLog.imageProblem(opening);
                    if (refusal == null) {
                        return false;
                    }
                    problem = "image of the key index is not used by opening: " + refusal;
                }
                if (problem != null) {
                    listener.damaged(image, problem);
                }
                return true;
            }
        } finally {
            opening.log().abandon();
        }
    }

    private static KeyIndexContext context(RecordLogOpening opening) {
        return new KeyIndexContext(0, 0, opening.secret(), new RecordKeyMatcher(opening.log()));
    }

    private static void refuse(KeyIndex part, KeyFilter wanted, IOException cause) throws IOException {
        throw cause;
    }

    private @Nullable String problem(RecordLogOpening opening, PersistentKeyIndex loaded) throws IOException {
        try {
            while (loaded.loadMore()) {
                // Each call loads a part.
            }
            new Replay(opening, loaded).runUnsettled();
        } catch (CorruptRecordException e) {
            return "image of the key index leads to no record of a key: " + e.getMessage();
        } catch (IndexMemoryException e) {
            logger().warn("an image of the key index is not compared with the log: {}", e.getMessage());
            return null;
        } catch (IOException e) {
            return "a part of the image of the key index is not sound: " + e.getMessage();
        }
        for (int parts = 1; ; parts *= 2) {
            try {
                return problem(opening, loaded, parts);
            } catch (IndexMemoryException e) {
                if (parts >= MOST_PARTS) {
                    throw e;
                }
            }
        }
    }

    private @Nullable String problem(RecordLogOpening opening, PersistentKeyIndex loaded, int parts)
            throws IOException {
        KeyHash hash = new KeyHash(opening.secret());
        long keys = 0;
        for (int i = 0; i < parts; i++) {
            int part = i;
            KeyFilter wanted =
                    (key, offset, length) -> Long.remainderUnsigned(hash.hash(key, offset, length), parts) == part;
            try (KeyIndex truth = factory.open(context(opening))) {
                new Replay(opening, truth, wanted).runAsImaged(1);
                keys += truth.size();
                Comparison comparison = new Comparison(opening.log(), loaded, truth, wanted);
                for (LogSegment file : opening.log().segments()) {
                    opening.replayImaged(file, comparison);
                }
                if (comparison.differing > 0) {
                    return "image of the key index does not say what the log says: keys=" + comparison.differing;
                }
            }
        }
        if (keys != loaded.size()) {
            return "image of the key index has keys that the log has not: keys=" + (loaded.size() - keys);
        }
        for (LogSegment file : opening.log().segments()) {
            if (file.liveBytes() != 0) {
                return "image of the key index counts live bytes that are none, or too few: file=" + file.name()
                        + ", too many=" + file.liveBytes();
            }
        }
        return null;
    }

    /** Asks both indexes for every key that the log speaks of, and takes from the live bytes of the image what is live. */
    private static final class Comparison implements RecordLogOpening.ReplayVisitor {
        private final RecordLog log;
        private final KeyIndex loaded;
        private final KeyIndex truth;
        private final KeyFilter wanted;
        private long differing;

        Comparison(RecordLog log, KeyIndex loaded, KeyIndex truth, KeyFilter wanted) {
            this.log = log;
            this.loaded = loaded;
            this.truth = truth;
            this.wanted = wanted;
        }

        @Override
        public void visit(boolean tombstone, long locator, byte[] source, int keyOffset, int keyLength)
                throws IOException {
            if (!wanted.mayContain(source, keyOffset, keyLength)) {
                return;
            }
            long current = truth.get(source, keyOffset, keyLength);
            if (current != lookup(source, keyOffset, keyLength)) {
                differing++;
            }
            if (current == locator && !tombstone) {
                log.markDead(locator);
            }
        }

        private long lookup(byte[] source, int keyOffset, int keyLength) throws IOException {
            try {
                return loaded.get(source, keyOffset, keyLength);
            } catch (CorruptRecordException e) {
                return Long.MIN_VALUE; // the records are sound, so it leads to none
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(ImageCheck.class);
    }
}
