package dev.caskwright.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member that is closed while it fails: Ratis must not wait for entries that are not applied any more. */
final class CloseAfterFailureTest {
    private static final byte KIND = 9;

    @TempDir
    Path directory;

    private final CountDownLatch isApplying = new CountDownLatch(1);
    private final CountDownLatch mayFail = new CountDownLatch(1);

    @Test
    void closingEndsThoughAnEntryFailsMeanwhile() throws Exception {
        try (Cluster cluster = new Cluster(directory, 1)) {
            cluster.options(
                    options -> options.electionTimeout(Duration.ofMillis(200)).applier(KIND, this::fail));
            RaftNode node = cluster.start("n1");
            CompletableFuture<byte[]> first = node.submit(KIND, new byte[1]);
            isApplying.await();
            List<CompletableFuture<byte[]>> later =
                    List.of(node.submit(KIND, new byte[2]), node.submit(KIND, new byte[3]));
            CompletableFuture<Void> closing = CompletableFuture.runAsync(() -> close(node));
            Cluster.await("Ratis waits for what has been agreed on", CloseAfterFailureTest::isRatisStopping);
            mayFail.countDown();
            closing.get();
            assertThatThrownBy(first::get)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(RaftException.class);
            for (CompletableFuture<byte[]> each : later) {
                assertThatThrownBy(each::get).hasCauseInstanceOf(RaftException.class);
            }
            assertThat(node.state().failure()).hasMessageContaining("the entry cannot be applied: index=");
        }
    }

    private byte[] fail(Overlay overlay, byte[] command) throws IOException {
        isApplying.countDown();
        try {
            mayFail.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new IOException("planted");
    }

    private static void close(RaftNode node) {
        try {
            node.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Returns whether a member that is being closed waits for what has been agreed on. */
    static boolean isRatisStopping() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(java.util.Arrays::stream)
                .anyMatch(frame -> frame.getMethodName().equals("stopAndJoin"));
    }
}
