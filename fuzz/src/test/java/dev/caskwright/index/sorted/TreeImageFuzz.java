package dev.caskwright.index.sorted;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.fuzz.Allocated;
import dev.caskwright.fuzz.FuzzedSource;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;

/** An image of the sorted index. */
public final class TreeImageFuzz {
    private static final long MOST_MEMORY = 2 << 20;

    private TreeImageFuzz() {}

    /** The input is the image. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        Allocated.requireLittle(() -> read(input));
    }

    private static void read(byte[] input) throws IOException {
        TreeImage.Loaded loaded;
        try {
            loaded = TreeImage.load(new FuzzedSource(input, 0), TreeImageFuzz::checkLimit);
        } catch (EOFException | IndexMemoryException e) {
            return;
        }
        if (loaded == null) {
            return;
        }
        Tree tree = loaded.tree();
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        TreeImage.save(tree, written::write);
        require(Arrays.equals(written.toByteArray(), input), "written other than it was read", written.size());
        long[] visited = new long[1];
        tree.descend(null, true, (key, locator) -> {
            Leaf leaf = tree.leafOf(key, 0, key.length);
            require(leaf.locator(leaf.find(key, 0, key.length)) == locator, "visited and not found", locator);
            visited[0]++;
            return true;
        });
        require(visited[0] == loaded.keys(), "other than so many keys", visited[0]);
    }

    private static void checkLimit(long bytes) throws IndexMemoryException {
        if (bytes > MOST_MEMORY) {
            throw new IndexMemoryException("more than the limit", null);
        }
    }

    private static void require(boolean isSound, String what, long found) {
        if (!isSound) {
            throw new AssertionError(what + ": " + found);
        }
    }
}
