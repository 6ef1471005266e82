package dev.caskwright.bitcask.log.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ImageBlocksTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5, 100})
    void blocksComeInOrder(int count) throws IOException {
        try (ImageBlocks blocks = new ImageBlocks(count, (number, target) -> target[0] = (byte) number)) {
            for (int i = 0; i < count; i++) {
                assertThat(blocks.next()[0]).isEqualTo((byte) i);
            }
        }
        assertThat(Thread.interrupted()).isFalse();
    }

    /** To start a thread for few does not pay. */
    @ParameterizedTest
    @CsvSource({"1, false", "64, false", "65, true", "200, true"})
    void ofManyEachIsReadOnceByAThreadOfTheirOwn(int count, boolean isOther) throws Exception {
        List<Long> read = new ArrayList<>();
        Set<Thread> readers = new HashSet<>();
        ImageBlocks blocks = new ImageBlocks(count, (number, target) -> {
            read.add(number);
            readers.add(Thread.currentThread());
        });
        for (int i = 0; i < count; i++) {
            blocks.next();
        }
        for (Thread reader : readers) {
            if (reader != Thread.currentThread()) {
                assertThat(reader.isDaemon()).isTrue();
                reader.join(); // by itself
            }
        }
        blocks.close();
        assertThat(read).isEqualTo(LongStream.range(0, count).boxed().toList());
        assertThat(readers).hasSize(1);
        assertThat(readers.contains(Thread.currentThread())).isEqualTo(!isOther);
    }

    /** The caller has one of them and may use it, so that eight are in memory. */
    @Test
    void aFewAreReadAhead() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        AtomicReference<Thread> reader = new AtomicReference<>();
        try (ImageBlocks blocks = new ImageBlocks(1_000, (number, target) -> {
            reads.incrementAndGet();
            reader.set(Thread.currentThread());
        })) {
            for (int i = 0; i < 20; i++) {
                awaitWaiting(reader);
                assertThat(reads).hasValue(8 + Math.max(0, i - 1));
                blocks.next();
            }
        }
    }

    private static void awaitWaiting(AtomicReference<Thread> thread) {
        while (thread.get() == null || thread.get().getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 100})
    void failuresOfOtherKindsComeAsTheyAre(int count) {
        for (Throwable failure : List.of(new IllegalStateException("planned"), new OutOfMemoryError("planned"))) {
            ImageBlocks.Reader reader = (number, target) -> {
                if (failure instanceof RuntimeException e) {
                    throw e;
                }
                throw (Error) failure;
            };
            try (ImageBlocks blocks = new ImageBlocks(count, reader)) {
                assertThatThrownBy(blocks::next).isSameAs(failure);
                assertThatThrownBy(blocks::next).isSameAs(failure);
            }
        }
    }

    @Test
    void anInterruptWhileItIsClosedIsKeptForLater() throws Exception {
        Thread closer = Thread.currentThread();
        AtomicBoolean isInterrupted = new AtomicBoolean();
        ImageBlocks blocks = new ImageBlocks(1_000, (number, target) -> {
            while (!isInterrupted.get() || closer.isInterrupted()) {
                Thread.onSpinWait(); // until it has taken note of it, and waits on
            }
        });
        closer.interrupt();
        isInterrupted.set(true);
        blocks.close();
        assertThat(Thread.interrupted()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 100})
    void aFailureComesAfterTheBlocksBeforeIt(int count) throws IOException {
        ImageBlocks.Reader reader = (number, target) -> {
            if (number == 2) {
                throw new IOException("planned");
            }
            target[0] = (byte) number;
        };
        try (ImageBlocks blocks = new ImageBlocks(count, reader)) {
            assertThat(blocks.next()[0]).isEqualTo((byte) 0);
            assertThat(blocks.next()[0]).isEqualTo((byte) 1);
            assertThatThrownBy(blocks::next).isInstanceOf(IOException.class).hasMessage("planned");
        }
    }

    @Test
    void nothingIsReadAfterClosing() throws IOException {
        AtomicInteger reads = new AtomicInteger();
        ImageBlocks blocks = new ImageBlocks(1_000, (number, target) -> reads.incrementAndGet());
        blocks.next();
        blocks.close();
        int before = reads.get();
        assertThat(before).isLessThan(1_000);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().equals("caskwright-image"));
        assertThat(reads.get()).isEqualTo(before);
    }

    @Test
    void anInterruptIsKeptForLater() throws IOException {
        try (ImageBlocks blocks = new ImageBlocks(100, (number, target) -> target[0] = (byte) number)) {
            Thread.currentThread().interrupt();
            for (int i = 0; i < 100; i++) {
                assertThat(blocks.next()[0]).isEqualTo((byte) i);
            }
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
