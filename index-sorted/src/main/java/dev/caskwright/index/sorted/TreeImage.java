package dev.caskwright.index.sorted;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSink;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The layout of an image: the keys in ascending order, each as what it does not share with the one before. An entry is how
 * many bytes it shares and how many follow (2 bytes each), these bytes, and the locator (8 bytes), with the low byte first;
 * the last entry has no bytes, and the number of keys in place of a locator.
 */
final class TreeImage {
    static final String FORMAT = "sorted-1";

    private static final int MAX_KEY_LENGTH = 0xFFFF;
    private static final int HEADER_BYTES = 2 * Short.BYTES;
    private static final int BUFFER_BYTES = 1 << 17; // more than the largest entry
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private TreeImage() {}

    static void save(Tree tree, ImageSink sink) throws IOException {
        Writer writer = new Writer(sink);
        tree.ascend(null, true, (key, locator) -> {
            writer.write(key, locator);
            return true;
        });
        writer.end();
    }

    /**
     * Returns the tree that an image holds, or null if these bytes are none. A few bytes of it may stand for a long key, so
     * the limit is asked while the tree grows.
     */
    static @Nullable Loaded load(ImageSource source, TreeBuilder.Limit limit) throws IOException {
        return new Reader(source).read(limit);
    }

    /**
     * What an image holds.
     *
     * @param keyBytes the sum of the lengths of the keys
     */
    record Loaded(Tree tree, long keys, long keyBytes) {}

    private static final class Writer {
        private final ImageSink sink;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int end;
        private byte[] last = new byte[0];
        private long count;

        Writer(ImageSink sink) {
            this.sink = sink;
        }

        void write(byte[] key, long locator) throws IOException {
            int shared = KeyWords.commonPrefix(last, 0, last.length, key, 0, key.length);
            write(key, shared, key.length - shared, locator);
            last = key;
            count++;
        }

        void end() throws IOException {
            write(last, 0, 0, count);
            sink.write(buffer, 0, end);
        }

        private void write(byte[] key, int shared, int length, long number) throws IOException {
            int needed = HEADER_BYTES + length + Long.BYTES;
            if (buffer.length - end < needed) {
                sink.write(buffer, 0, end);
                end = 0;
            }
            SHORT.set(buffer, end, (short) shared);
            SHORT.set(buffer, end + Short.BYTES, (short) length);
            System.arraycopy(key, shared, buffer, end + HEADER_BYTES, length);
            LONG.set(buffer, end + HEADER_BYTES + length, number);
            end += needed;
        }
    }

    private static final class Reader {
        private final ImageSource source;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int at;
        private int end;

        Reader(ImageSource source) {
            this.source = source;
        }

        @Nullable Loaded read(TreeBuilder.Limit limit) throws IOException {
            TreeBuilder builder = new TreeBuilder(limit);
            byte[] key = new byte[MAX_KEY_LENGTH];
            long keyBytes = 0;
            int before = 0;
            for (long count = 0; ; count++) {
                need(HEADER_BYTES);
                int shared = (short) SHORT.get(buffer, at) & 0xFFFF;
                int length = (short) SHORT.get(buffer, at + Short.BYTES) & 0xFFFF;
                need(HEADER_BYTES + length + Long.BYTES);
                long number = (long) LONG.get(buffer, at + HEADER_BYTES + length);
                if (length == 0) {
                    boolean isWhole = shared == 0
                            && number == count
                            && end - at == HEADER_BYTES + Long.BYTES
                            && source.remaining() == 0;
                    return isWhole ? new Loaded(builder.build(), count, keyBytes) : null;
                }
                if (shared > before || shared + length > MAX_KEY_LENGTH || number == KeyIndex.ABSENT) {
                    return null;
                }
                if (shared < before && key[shared] == buffer[at + HEADER_BYTES]) {
                    return null; // they share more
                }
                System.arraycopy(buffer, at + HEADER_BYTES, key, shared, length);
                before = shared + length;
                if (!builder.add(key, before, number)) {
                    return null;
                }
                keyBytes += before;
                at += HEADER_BYTES + length + Long.BYTES;
            }
        }

        /** Makes sure that so many bytes are in the buffer. */
        private void need(int bytes) throws IOException {
            if (end - at >= bytes) {
                return;
            }
            System.arraycopy(buffer, at, buffer, 0, end - at);
            end -= at;
            at = 0;
            int more = (int) Math.min(source.remaining(), buffer.length - end);
            source.read(buffer, end, more);
            end += more;
            if (end < bytes) {
                throw new EOFException("the image of the index ends within an entry");
            }
        }
    }
}
