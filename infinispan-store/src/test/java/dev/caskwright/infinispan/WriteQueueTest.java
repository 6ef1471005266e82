package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.infinispan.persistence.spi.PersistenceException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queue of writes: executors that refuse, batches that are bounded, changes that fail. */
class WriteQueueTest {
    private final List<Runnable> tasks = new ArrayList<>();
    private final List<Long> written = new ArrayList<>(); // bytes of each batch

    @TempDir
    Path directory;

    private StorageEngine engine;

    @BeforeEach
    void open() throws IOException {
        engine = BitcaskEngine.open(directory.resolve("store"));
    }

    @AfterEach
    void close() throws IOException {
        engine.close();
    }

    /** Returns the engine, with a note of each batch that is written to it. */
    private StorageEngine watched() {
        return (StorageEngine) Proxy.newProxyInstance(
                StorageEngine.class.getClassLoader(),
                new Class<?>[] {StorageEngine.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("write")) {
                        long[] bytes = {0};
                        ((WriteBatch) arguments[0])
                                .visit((source, offset, keyLength, valueLength, expiry) ->
                                        bytes[0] += keyLength + Math.max(0, valueLength));
                        written.add(bytes[0]);
                    }
                    try {
                        return method.invoke(engine, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Returns the engine, which takes no writes. */
    private StorageEngine broken() {
        return (StorageEngine) Proxy.newProxyInstance(
                StorageEngine.class.getClassLoader(),
                new Class<?>[] {StorageEngine.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("write")) {
                        throw new IOException("broken");
                    }
                    return method.invoke(engine, arguments);
                });
    }

    @Test
    void closingClosesTheEngineThoughTheLastWritesFail() {
        WriteQueue queue = new WriteQueue(broken(), tasks::add, Runnable::run, WriteQueue.Writer.THREAD);
        CompletionStage<Void> lost = queue.add(put(1, 10));
        CompletionStage<Void> closed = queue.close();
        tasks.forEach(Runnable::run);
        assertThat(lost.toCompletableFuture()).isCompletedExceptionally();
        assertThatThrownBy(() -> closed.toCompletableFuture().join()).hasRootCauseMessage("broken");
        assertThatThrownBy(() -> engine.get(new byte[] {1})).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void closingClosesTheEngineThoughNoThreadTakesIt() {
        WriteQueue queue = new WriteQueue(engine, refusing(1, Runnable::run), Runnable::run, WriteQueue.Writer.THREAD);
        CompletionStage<Void> closed = queue.close();
        assertThat(closed.toCompletableFuture()).isCompletedExceptionally();
        assertThatThrownBy(() -> engine.get(new byte[] {1})).isInstanceOf(EngineClosedException.class);
    }

    /** Refuses its first tasks. */
    private static Executor refusing(int times, Executor then) {
        int[] left = {times};
        return task -> {
            if (left[0]-- > 0) {
                throw new RejectedExecutionException("full");
            }
            then.execute(task);
        };
    }

    private static WriteQueue.Change<Void> put(int key, int length) {
        return batch -> {
            batch.put(new byte[] {1, (byte) key}, new byte[length]);
            return null;
        };
    }

    private static void assertDone(CompletionStage<?> stage) {
        assertThat(stage.toCompletableFuture()).isCompleted();
    }

    @Test
    void aWriteThatNoThreadTakesFailsAndLaterOnesGoWell() throws IOException {
        WriteQueue queue = new WriteQueue(engine, refusing(1, Runnable::run), Runnable::run, WriteQueue.Writer.THREAD);
        CompletableFuture<Void> refused = queue.add(put(1, 10)).toCompletableFuture();
        assertThat(refused).isCompletedExceptionally();
        assertThatThrownBy(refused::join)
                .hasCauseInstanceOf(PersistenceException.class)
                .hasRootCauseInstanceOf(RejectedExecutionException.class);
        assertDone(queue.add(put(2, 10)));
        assertThat(engine.get(new byte[] {1, 1})).isNull();
        assertThat(engine.get(new byte[] {1, 2})).hasSize(10);
    }

    @Test
    void anAnswerIsGivenThoughNoThreadTakesIt() {
        WriteQueue queue = new WriteQueue(engine, Runnable::run, refusing(1, Runnable::run), WriteQueue.Writer.THREAD);
        assertDone(queue.add(put(1, 10)));
        assertDone(queue.add(put(2, 10)));
    }

    @Test
    void aBatchIsBoundedInBytes() throws IOException {
        WriteQueue queue = new WriteQueue(watched(), tasks::add, Runnable::run, WriteQueue.Writer.THREAD);
        List<CompletionStage<Void>> stages = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            stages.add(queue.add(put(i, 1 << 20)));
        }
        tasks.forEach(Runnable::run);
        stages.forEach(WriteQueueTest::assertDone);
        assertThat(written).hasSizeGreaterThan(2).allMatch(bytes -> bytes < WriteQueue.MOST_BYTES + (2 << 20));
        assertThat(engine.size()).isEqualTo(20);
    }

    @Test
    void aChangeThatIsMadeOfManyIsWrittenInPieces() throws IOException {
        WriteQueue queue = new WriteQueue(watched(), Runnable::run, Runnable::run, WriteQueue.Writer.THREAD);
        assertDone(queue.add(batch -> {
            for (int i = 0; i < 20; i++) {
                put(i, 1 << 20).addTo(batch);
                batch.writeIfLong();
            }
            return null;
        }));
        assertThat(written).hasSizeGreaterThan(2).allMatch(bytes -> bytes < WriteQueue.MOST_BYTES + (2 << 20));
        assertThat(engine.size()).isEqualTo(20);
    }

    @Test
    void aChangeThatThrowsFailsAloneAndTheQueueGoesOn() throws IOException {
        WriteQueue queue = new WriteQueue(engine, tasks::add, Runnable::run, WriteQueue.Writer.THREAD);
        CompletionStage<Void> first = queue.add(put(1, 10));
        CompletionStage<Void> broken = queue.add(batch -> {
            throw new OutOfMemoryError("simulated");
        });
        CompletionStage<Void> third = queue.add(put(3, 10));
        tasks.forEach(Runnable::run);
        assertDone(first);
        assertThat(broken.toCompletableFuture()).isCompletedExceptionally();
        assertDone(third);
        engine.close();
        CompletionStage<Void> late = queue.add(put(4, 10));
        tasks.get(tasks.size() - 1).run();
        assertThat(late.toCompletableFuture()).isCompletedExceptionally();
    }
}
