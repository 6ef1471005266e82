package dev.caskwright.bolt;

import dev.caskwright.bolt.page.Meta;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** A bolt file whose meta pages have right checksums and whose other pages are the fuzzer's. */
public final class BoltFuzz {
    private static final int PAGE = 512;
    private static final int MOST_PAGES = 64;
    private static final int MOST_VISITED = 10_000;
    private static final int DEEPEST = 20;

    private BoltFuzz() {}

    /** The first byte says which page is the root, and whether there is a freelist; then come the pages from page 2 on. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        if (input.length < 2) {
            return;
        }
        int pages = Math.min(MOST_PAGES, 2 + (input.length - 1 + PAGE - 1) / PAGE);
        byte[] file = new byte[pages * PAGE];
        System.arraycopy(input, 1, file, 2 * PAGE, Math.min(input.length - 1, file.length - 2 * PAGE));
        long root = 2 + (input[0] & 0x3F) % (pages - 2);
        long freelist = (input[0] & 0x40) == 0 ? Meta.NO_FREELIST : 2 + (root - 1) % (pages - 2);
        for (int page = 0; page < 2; page++) {
            ByteBuffer target = ByteBuffer.wrap(file, page * PAGE, PAGE).slice().order(ByteOrder.LITTLE_ENDIAN);
            new Meta(PAGE, 0, root, 0, freelist, pages, 2 + page).write(target);
        }
        use(file);
    }

    private static void use(byte[] file) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        disk.install("fuzzed.db", file);
        try (BoltDatabase database = BoltDatabase.builder(Path.of("/fuzzed.db"))
                .io(disk.factory())
                .requiresLock(false)
                .open()) {
            attempt(() -> database.view(transaction -> visit(transaction.root(), 0, new int[1])));
            attempt(database::check);
            attempt(() -> database.update(transaction -> {
                Bucket bucket = transaction.createBucketIfNotExists(new byte[] {1});
                bucket.put(new byte[] {2}, new byte[300]);
                bucket.deleteRange(new byte[] {3}, null);
            }));
            attempt(() -> database.compact(2));
        } catch (IOException e) {
            require(e);
        }
    }

    private static void visit(Bucket bucket, int depth, int[] visited) throws IOException {
        BoltCursor cursor = bucket.cursor();
        for (boolean isThere = cursor.first(); isThere && visited[0]++ < MOST_VISITED; isThere = cursor.next()) {
            byte[] key = cursor.key();
            if (!cursor.isBucket()) {
                cursor.value();
                bucket.get(key); // another value where keys are out of order: so it is only asked for
            } else if (depth < DEEPEST && key.length > 0) {
                Bucket inner = bucket.bucket(key);
                if (inner != null) {
                    visit(inner, depth + 1, visited);
                }
            }
        }
        for (boolean isThere = cursor.last(); isThere && visited[0]++ < MOST_VISITED; isThere = cursor.previous()) {
            cursor.valueView();
        }
    }

    private interface Action {
        void run() throws IOException;
    }

    private static void attempt(Action action) {
        try {
            action.run();
        } catch (BucketException e) {
            if (e.reason() == null) {
                throw new AssertionError("no reason", e);
            }
        } catch (IOException e) {
            require(e);
        }
    }

    /** Any error of a file says which one. */
    private static void require(IOException e) {
        if (e.getMessage() == null || e.getMessage().isEmpty()) {
            throw new AssertionError("an error without a message", e);
        }
    }
}
