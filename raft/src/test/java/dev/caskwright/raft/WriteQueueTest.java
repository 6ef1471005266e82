package dev.caskwright.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Outcome;
import dev.caskwright.raft.EntryCodec.Command;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The way of commands into the log: together, in order, and with an outcome that is true. */
final class WriteQueueTest {
    private static final long LONG = TimeUnit.MINUTES.toNanos(5);

    /** What was sent, with the end that Raft has not told yet. */
    private record Sent(long callId, List<Command> commands, CompletableFuture<Object> end) {}

    private record Forwarded(List<Command> commands, CompletableFuture<List<Result>> end) {}

    private final BlockingQueue<Sent> sent = new LinkedBlockingQueue<>();
    private final BlockingQueue<Forwarded> forwarded = new LinkedBlockingQueue<>();
    private volatile WriteQueue.Leader leader = WriteQueue.Leader.HERE;
    private WriteQueue queue;

    @AfterEach
    void close() {
        queue.close(new IllegalStateException("the test is over"));
    }

    @Test
    void whatWaitsGoesTogetherAndInOrder() throws Exception {
        open(LONG);
        submit(0);
        submit(1);
        Sent first = sent.take();
        int early = first.commands().size();
        if (early == 1) {
            sent.take(); // two small entries may be under way
        }
        for (int i = 2; i < 1_002; i++) {
            submit(i);
        }
        queue.applied(first.callId(), results(early));
        first.end().complete("done");
        List<Integer> order = new ArrayList<>();
        while (order.size() < 1_000) {
            Sent next = sent.take();
            next.commands().forEach(command -> order.add(number(command)));
            queue.applied(next.callId(), results(next.commands().size()));
            next.end().complete("done");
        }
        assertThat(order).isSorted().hasSize(1_000);
        assertThat(sent).isEmpty();
    }

    @Test
    void aSecondSmallEntryHasAsManyCommandsAsTheFirst() throws Exception {
        leader = WriteQueue.Leader.NOWHERE;
        open(LONG);
        for (int i = 0; i < 4; i++) {
            submit(i);
        }
        leader = WriteQueue.Leader.HERE;
        queue.leaderChanged();
        assertThat(sent.take().commands()).hasSize(4);
        for (int i = 4; i < 8; i++) {
            submit(i);
        }
        assertThat(sent.take().commands()).hasSize(4);
    }

    @Test
    void aCommandThatRaftRefusedBeforeItsLogWasNotApplied() throws Exception {
        open(LONG);
        CompletableFuture<byte[]> reply = submit(0);
        sent.take().end().completeExceptionally(new IllegalStateException("not leader"));
        assertThat(outcome(reply)).isEqualTo(Outcome.NOT_APPLIED);
    }

    @Test
    void aCommandWhoseLeaderWasLostBehindItsLogIsUnknown() throws Exception {
        open(LONG);
        CompletableFuture<byte[]> reply = submit(0);
        Sent entry = sent.take();
        queue.accepted(entry.callId());
        entry.end().completeExceptionally(new IllegalStateException("not leader any more"));
        assertThat(outcome(reply)).isEqualTo(Outcome.UNKNOWN);
    }

    @Test
    void aCommandThatWasAppliedIsAnsweredWhateverRaftSaysThen() throws Exception {
        open(LONG);
        CompletableFuture<byte[]> reply = submit(0);
        Sent entry = sent.take();
        queue.accepted(entry.callId());
        queue.applied(entry.callId(), List.of(Result.done(new byte[] {42})));
        entry.end().completeExceptionally(new IllegalStateException("not leader any more"));
        assertThat(reply.get()).containsExactly(42);
    }

    @Test
    void withoutALeaderACommandWaitsAndIsThenKnownNotToBeApplied() throws Exception {
        leader = WriteQueue.Leader.NOWHERE;
        open(TimeUnit.MILLISECONDS.toNanos(20));
        CompletableFuture<byte[]> reply = submit(0);
        Cluster.await("the end of the wait", () -> {
            queue.expire();
            return reply.isDone();
        });
        assertThat(outcome(reply)).isEqualTo(Outcome.NOT_APPLIED);
        assertThat(sent).isEmpty();
    }

    @Test
    void aCommandThatRaftDoesNotConfirmInTimeIsUnknown() throws Exception {
        open(TimeUnit.MILLISECONDS.toNanos(20));
        CompletableFuture<byte[]> reply = submit(0);
        sent.take();
        Cluster.await("the end of the wait", () -> {
            queue.expire();
            return reply.isDone();
        });
        assertThat(outcome(reply)).isEqualTo(Outcome.UNKNOWN);
    }

    @Test
    void commandsForAnotherLeaderAreForwardedOneEntryAtATime() throws Exception {
        leader = WriteQueue.Leader.ELSEWHERE;
        open(LONG);
        CompletableFuture<byte[]> first = submit(0);
        Forwarded entry = forwarded.take();
        List<CompletableFuture<byte[]>> later = List.of(submit(1), submit(2));
        assertThat(forwarded.poll(20, TimeUnit.MILLISECONDS)).isNull();
        entry.end().complete(results(1));
        assertThat(first.get()).isEmpty();
        Forwarded next = forwarded.take();
        assertThat(next.commands()).extracting(WriteQueueTest::number).containsExactly(1, 2);
        next.end().completeExceptionally(new IllegalStateException("the connection was lost"));
        assertThat(outcome(later.get(0))).isEqualTo(Outcome.UNKNOWN);
        assertThat(outcome(later.get(1))).isEqualTo(Outcome.UNKNOWN);
    }

    @Test
    void aForwardedCommandIsNotForwardedOn() throws Exception {
        leader = WriteQueue.Leader.ELSEWHERE;
        open(LONG);
        CompletableFuture<byte[]> reply = queue.submit((byte) 0, new byte[0], true);
        assertThat(outcome(reply)).isEqualTo(Outcome.NOT_APPLIED);
        assertThat(forwarded).isEmpty();
    }

    @Test
    void aFullQueueHasNoRoomAndTakesMoreOnceItWasEmptied() throws Exception {
        leader = WriteQueue.Leader.NOWHERE;
        open(LONG);
        while (queue.hasRoom()) {
            queue.submit((byte) 0, new byte[7 << 20], false);
        }
        leader = WriteQueue.Leader.HERE;
        queue.leaderChanged();
        sent.take();
        assertThat(sent.take().commands()).hasSize(1); // each is longer than an entry of several
        Cluster.await("room", queue::hasRoom);
    }

    @Test
    void closingEndsWhatWaitsAsNotAppliedAndWhatIsUnderWayAsUnknown() throws Exception {
        open(LONG);
        CompletableFuture<byte[]> underWay = submit(0);
        sent.take();
        leader = WriteQueue.Leader.NOWHERE;
        CompletableFuture<byte[]> waiting = submit(1);
        queue.close(new IllegalStateException("closed"));
        assertThat(outcome(underWay)).isEqualTo(Outcome.UNKNOWN);
        assertThat(outcome(waiting)).isEqualTo(Outcome.NOT_APPLIED);
        assertThat(outcome(submit(2))).isEqualTo(Outcome.NOT_APPLIED);
    }

    private void open(long timeoutNanos) {
        WriteQueue.Way way = new WriteQueue.Way() {
            @Override
            public WriteQueue.Leader leader() {
                return leader;
            }

            @Override
            public CompletableFuture<?> append(long callId, List<Command> commands) {
                Sent entry = new Sent(callId, commands, new CompletableFuture<>());
                sent.add(entry);
                return entry.end();
            }

            @Override
            public CompletableFuture<List<Result>> forward(List<Command> commands) {
                Forwarded entry = new Forwarded(commands, new CompletableFuture<>());
                forwarded.add(entry);
                return entry.end();
            }
        };
        queue = new WriteQueue("test", way, 8 << 20, timeoutNanos);
        queue.start();
    }

    @Test
    void longCommandsWaitForThoseUnderWay() throws Exception {
        open(LONG);
        byte[] command = new byte[8 << 20];
        for (int i = 0; i < 12; i++) {
            queue.submit((byte) 0, command, false);
        }
        ArrayDeque<Sent> flying = new ArrayDeque<>();
        for (int i = 0; i < 12; i++) {
            if ((flying.size() + 1L) * command.length > WriteQueue.MOST_BYTES_IN_FLIGHT - command.length) {
                assertThat(sent).as("sent beyond the bound").isEmpty();
                flying.remove().end().complete("done");
            }
            flying.add(sent.take());
            assertThat((long) (flying.size() + sent.size()) * command.length)
                    .isLessThanOrEqualTo(WriteQueue.MOST_BYTES_IN_FLIGHT);
        }
    }

    @Test
    void ratisTakesWhatTheQueueHasUnderWay() throws Exception {
        open(LONG);
        RaftNodeBuilder options = RaftNode.builder(Path.of("unused")).maxCommandBytes(60 << 20);
        RaftProperties properties = RatisSettings.properties(options, new RaftMember("n1", "127.0.0.1", 7000));
        assertThat(RaftServerConfigKeys.Write.byteLimit(properties).getSize())
                .isGreaterThan(WriteQueue.MOST_BYTES_IN_FLIGHT)
                .isGreaterThan(60 << 20);
    }

    private CompletableFuture<byte[]> submit(int number) {
        return queue.submit((byte) 0, new byte[] {(byte) (number >> 8), (byte) number}, false);
    }

    private static int number(Command command) {
        return (command.bytes()[0] & 0xFF) << 8 | command.bytes()[1] & 0xFF;
    }

    private static List<Result> results(int count) {
        return java.util.Collections.nCopies(count, Result.done(new byte[0]));
    }

    private static Outcome outcome(CompletableFuture<byte[]> reply) {
        try {
            reply.join();
            return Outcome.APPLIED;
        } catch (java.util.concurrent.CompletionException e) {
            return ((RaftException) e.getCause()).outcome();
        }
    }
}
