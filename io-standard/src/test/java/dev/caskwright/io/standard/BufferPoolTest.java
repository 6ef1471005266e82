package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class BufferPoolTest {
    /** There are places for so many at least. */
    private static final int FEW = 4;
    /** There are never places for so many. */
    private static final int MANY = 4 * Math.max(2, Runtime.getRuntime().availableProcessors());

    @Test
    void theBufferThatWasGivenBackLastByAThreadIsTakenAgain() {
        ByteBuffer buffer = BufferPool.take();
        assertThat(buffer.isDirect()).isTrue();
        assertThat(buffer.capacity()).isEqualTo(BufferPool.BUFFER_LENGTH);
        BufferPool.give(buffer);
        ByteBuffer again = BufferPool.take();
        assertThat(again).isSameAs(buffer);
        BufferPool.give(again);
    }

    @Test
    void noBufferIsTakenTwiceAndAsManyAreKeptAsThereArePlaces() {
        Set<ByteBuffer> taken = Collections.newSetFromMap(new IdentityHashMap<>());
        List<ByteBuffer> first = take(MANY);
        assertThat(first).doesNotContainNull();
        taken.addAll(first);
        assertThat(taken).hasSize(MANY);
        first.forEach(BufferPool::give);
        List<ByteBuffer> second = take(FEW);
        for (ByteBuffer buffer : second) {
            assertThat(taken.remove(buffer)).as("one of those given back").isTrue();
        }
        second.forEach(BufferPool::give);
    }

    private static List<ByteBuffer> take(int count) {
        List<ByteBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            buffers.add(BufferPool.take());
        }
        return buffers;
    }
}
