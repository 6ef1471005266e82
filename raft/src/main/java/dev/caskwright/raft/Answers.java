package dev.caskwright.raft;

import dev.caskwright.raft.EntryCodec.Command;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.apache.ratis.protocol.Message;
import org.jspecify.annotations.Nullable;

/** What a member answers to the questions of others; see {@link Peers}. Safe for any number of threads. */
final class Answers {
    /** The most bytes of the replies to commands that were forwarded together: a message of gRPC has 64 MiB. */
    private static final int MOST_REPLY_BYTES = 60 << 20;

    private final Lookout lookout;
    private final Supplier<Hello> own;
    private final IntPredicate isKnown;
    private final WriteQueue queue;
    private final Executor workers;
    private volatile @Nullable SnapshotServer snapshots;

    /**
     * @param own says what this member says of itself
     * @param isKnown says whether this member has an applier for commands of a kind: one that is logged without stops it
     */
    Answers(Lookout lookout, Supplier<Hello> own, IntPredicate isKnown, WriteQueue queue, Executor workers) {
        this.lookout = lookout;
        this.own = own;
        this.isKnown = isKnown;
        this.queue = queue;
        this.workers = workers;
    }

    /** Has checkpoints of the store handed out from now on. */
    void snapshots(SnapshotServer source) {
        snapshots = source;
    }

    /** Deletes checkpoints that nobody copies any more. */
    void expire() throws IOException {
        SnapshotServer source = snapshots;
        if (source != null) {
            source.expire();
        }
    }

    CompletableFuture<Message> to(ByteBuffer question) {
        try {
            byte what = question.get();
            return switch (what) {
                case Peers.HELLO -> {
                    lookout.askedBy(Hello.of(question));
                    yield CompletableFuture.completedFuture(
                            Peers.answerOf(ByteBuffer.wrap(own.get().toBytes())));
                }
                case Peers.FORWARD -> forwarded(question);
                case Peers.CHECKPOINT, Peers.CHUNK, Peers.RELEASE ->
                    CompletableFuture.supplyAsync(() -> handOut(what, question), workers);
                default ->
                    CompletableFuture.completedFuture(
                            Peers.answerOf(new IOException("this version does not know the question: what=" + what)));
            };
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.completedFuture(Peers.answerOf(e));
        }
    }

    private CompletableFuture<Message> forwarded(ByteBuffer question) throws IOException {
        List<CompletableFuture<byte[]>> futures = new ArrayList<>();
        for (Command command : EntryCodec.decode(question).commands()) {
            if (!isKnown.test(command.kind())) {
                futures.add(CompletableFuture.failedFuture(RaftException.notApplied(
                        "the leader has no applier of that kind: kind=" + command.kind()
                                + "; give one to the builder of every member",
                        null)));
                continue;
            }
            try {
                futures.add(queue.submit(command.kind(), command.bytes(), true));
            } catch (IllegalArgumentException e) { // longer than this member allows
                futures.add(
                        CompletableFuture.failedFuture(RaftException.notApplied(String.valueOf(e.getMessage()), e)));
            }
        }
        return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                .handle((all, failed) -> {
                    List<Result> results = new ArrayList<>(futures.size());
                    for (CompletableFuture<byte[]> future : futures) {
                        results.add(Result.of(future));
                    }
                    return Peers.answerOf(ByteBuffer.wrap(Result.encode(results, MOST_REPLY_BYTES)));
                });
    }

    private Message handOut(byte what, ByteBuffer question) {
        SnapshotServer source = snapshots;
        try {
            if (source == null) {
                throw new IOException("the node is being opened");
            }
            return Peers.answerOf(
                    switch (what) {
                        case Peers.CHECKPOINT -> source.checkpoint();
                        case Peers.CHUNK -> source.chunk(question);
                        default -> source.release(question);
                    });
        } catch (IOException | RuntimeException e) {
            return Peers.answerOf(e);
        }
    }
}
