package dev.caskwright.index.sorted;

import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSink;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.EOFException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The layout of an image: leaves in the order of their keys, with the arrays that they have in memory, so that an image is
 * copied and not taken apart. All numbers have the low byte first.
 *
 * <pre>
 * 0       2                8             8 + prefix length
 * | count | prefix length  | rest length | prefix | lengths of the rests | head | locator | head ... | tails |
 *   2       2                4
 * </pre>
 *
 * <p>The rest of a key is what is behind the prefix. Its length is in the header if it is the same for all keys; otherwise
 * that is -1, and the lengths follow the prefix (2 bytes each). The first 8 bytes of a rest are the {@linkplain KeyWords
 * head}; tails are what is behind, one after the other. A count of 0 ends the image: the other
 * two are 0, too, and the number of keys follows (8 bytes).
 */
final class TreeImage {
    static final String FORMAT = "sorted-2";

    static final int HEADER_BYTES = 2 * Short.BYTES + Integer.BYTES;
    static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int MAX_KEY_LENGTH = 0xFFFF;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
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

    /** Returns the tree that an image holds, or null if these bytes are none. The limit is asked while the tree grows. */
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
        private final Entries entries = new Entries();
        private byte[] buffer = new byte[BUFFER_BYTES];
        private int end;
        private long count;

        Writer(ImageSink sink) {
            this.sink = sink;
        }

        void write(byte[] key, long locator) throws IOException {
            entries.add(key, 0, key.length, locator);
            count++;
            if (TreeBuilder.isLeaf(entries)) {
                writeLeaf();
            }
        }

        void end() throws IOException {
            if (entries.count > 0) {
                writeLeaf();
            }
            need(HEADER_BYTES + Long.BYTES);
            LONG.set(buffer, end, 0L);
            LONG.set(buffer, end + HEADER_BYTES, count);
            sink.write(buffer, 0, end + HEADER_BYTES + Long.BYTES);
        }

        private void writeLeaf() throws IOException {
            Leaf leaf = Leaf.of(entries, 0, entries.count, 0);
            entries.clear();
            int body = leaf.imageBytes();
            need(HEADER_BYTES + body);
            SHORT.set(buffer, end, (short) leaf.live());
            SHORT.set(buffer, end + Short.BYTES, (short) leaf.prefixLength());
            INT.set(buffer, end + 2 * Short.BYTES, leaf.restLength());
            leaf.writeImage(buffer, end + HEADER_BYTES);
            end += HEADER_BYTES + body;
        }

        private void need(int bytes) throws IOException {
            if (buffer.length - end < bytes) {
                sink.write(buffer, 0, end);
                end = 0;
                if (buffer.length < bytes) {
                    buffer = new byte[bytes];
                }
            }
        }
    }

    private static final class Reader {
        private final ImageSource source;
        private byte[] buffer = new byte[BUFFER_BYTES];
        private int at;
        private int end;

        Reader(ImageSource source) {
            this.source = source;
        }

        @Nullable Loaded read(TreeBuilder.Limit limit) throws IOException {
            TreeBuilder builder = new TreeBuilder(limit);
            long keys = 0;
            long keyBytes = 0;
            while (true) {
                need(HEADER_BYTES);
                int count = (short) SHORT.get(buffer, at) & 0xFFFF;
                int prefixLength = (short) SHORT.get(buffer, at + Short.BYTES) & 0xFFFF;
                int restLength = (int) INT.get(buffer, at + 2 * Short.BYTES);
                if (count == 0) {
                    need(HEADER_BYTES + Long.BYTES);
                    boolean isWhole = prefixLength == 0
                            && restLength == 0
                            && (long) LONG.get(buffer, at + HEADER_BYTES) == keys
                            && end - at == HEADER_BYTES + Long.BYTES
                            && source.remaining() == 0;
                    return isWhole ? new Loaded(builder.build(), keys, keyBytes) : null;
                }
                if (count > Leaf.MAX_KEYS || restLength < Leaf.DIFFERENT_LENGTHS || restLength > MAX_KEY_LENGTH) {
                    return null;
                }
                boolean differ = restLength == Leaf.DIFFERENT_LENGTHS;
                int lengths = HEADER_BYTES + prefixLength;
                need(lengths + (differ ? count * Short.BYTES : 0));
                int tailBytes = 0;
                for (int i = 0; i < count; i++) {
                    int rest = differ ? (short) SHORT.get(buffer, at + lengths + i * Short.BYTES) & 0xFFFF : restLength;
                    int length = prefixLength + rest;
                    if (length == 0 || length > MAX_KEY_LENGTH) {
                        return null;
                    }
                    tailBytes += Math.max(0, rest - KeyWords.HEAD_BYTES);
                    keyBytes += length;
                }
                int body = Leaf.imageBytes(count, prefixLength, restLength, tailBytes);
                need(HEADER_BYTES + body);
                Leaf leaf = Leaf.ofImage(buffer, at + HEADER_BYTES, count, prefixLength, restLength, tailBytes);
                if (leaf == null || !builder.add(leaf)) {
                    return null;
                }
                keys += count;
                at += HEADER_BYTES + body;
            }
        }

        /** Makes sure that so many bytes are in the buffer. */
        private void need(int bytes) throws IOException {
            if (end - at >= bytes) {
                return;
            }
            if (end - at + source.remaining() < bytes) {
                throw new EOFException("the image of the index ends within a leaf");
            }
            byte[] target = buffer.length < bytes ? new byte[Math.max(bytes, BUFFER_BYTES)] : buffer;
            System.arraycopy(buffer, at, target, 0, end - at);
            buffer = target;
            end -= at;
            at = 0;
            int more = (int) Math.min(source.remaining(), buffer.length - end);
            source.read(buffer, end, more);
            end += more;
        }
    }
}
