package dev.caskwright.server;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A group whose members agree since there is one thread that executes everything on all of them, one after another. */
final class LoopbackGroup implements AutoCloseable {
    final ManualClock clock;
    final List<Member> members = new ArrayList<>();
    final List<CaskServer> servers = new ArrayList<>();
    private final ExecutorService log = Executors.newSingleThreadExecutor();
    volatile int leader;

    /** Whether members that do not lead take proposals. */
    volatile boolean isProxying = true;

    /** What the next proposals and barriers fail with, or null. */
    volatile ReplicationException failure;

    /** Counts of copies that are waited for in vain. */
    final List<CompletableFuture<Integer>> counts = new CopyOnWriteArrayList<>();

    /** Whether what fails is executed nevertheless. */
    volatile boolean isExecutedBeforeItFails;

    private long index;

    LoopbackGroup(int size, ManualClock clock, ServerConfig config) throws IOException {
        this.clock = clock;
        for (int i = 0; i < size; i++) {
            members.add(new Member(i));
        }
        for (Member member : members) {
            servers.add(CaskServer.start(member, config.set("port", "0").set("bind", "127.0.0.1"), clock));
        }
    }

    RespClient client(int member) throws IOException {
        return new RespClient(servers.get(member).port());
    }

    /** Returns all entries of each member, after the same last proposal. */
    List<Map<String, String>> contents() throws Exception {
        Future<List<Map<String, String>>> contents = log.submit(() -> {
            List<Map<String, String>> all = new ArrayList<>();
            for (Member member : members) {
                Map<String, String> entries = new TreeMap<>();
                member.store.visit(entry -> {
                    entries.put(text(entry.key()), text(entry.value()) + " " + entry.expiresAtMillis());
                    return true;
                });
                all.add(entries);
            }
            return all;
        });
        return contents.get();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    /** Makes the member forget what it has in memory, as after a restart. */
    void restart(int member) throws InterruptedException, ExecutionException {
        log.submit(members.get(member).replay::reset).get();
    }

    @Override
    public void close() throws IOException {
        servers.forEach(CaskServer::close);
        log.shutdown();
        for (Member member : members) {
            member.store.close();
        }
    }

    final class Member implements Replication {
        private final int number;
        private final ManualClock time = new ManualClock();
        private final StorageEngine store;
        private final Replay replay = CaskServer.newReplay();
        private final AtomicLong changes = new AtomicLong();

        private Member(int number) throws IOException {
            this.number = number;
            store = BitcaskEngine.builder(Path.of("store" + number))
                    .index(
                            number == 1
                                    ? BTreeKeyIndex::new
                                    : HashKeyIndex::new) // what members agree on has no other order
                    .io(new CrashableIoManager().factory())
                    .clock(time)
                    .open();
        }

        @Override
        public CompletableFuture<byte[]> propose(byte[] commands) {
            ReplicationException planned = failure;
            if (!isProxying && !isLeader()) {
                return CompletableFuture.failedFuture(new ReplicationException(
                        ReplicationException.Kind.NOT_LEADER, leaderAddress(), "not the leader", null));
            }
            if (planned != null && !isExecutedBeforeItFails) {
                return CompletableFuture.failedFuture(planned);
            }
            CompletableFuture<byte[]> replies =
                    CompletableFuture.supplyAsync(() -> LoopbackGroup.this.execute(commands, number), log);
            return planned == null ? replies : replies.thenCompose(done -> CompletableFuture.failedFuture(planned));
        }

        @Override
        public CompletableFuture<Void> barrier() {
            ReplicationException planned = failure;
            return planned == null
                    ? CompletableFuture.runAsync(LoopbackGroup.this::tick, log)
                    : CompletableFuture.failedFuture(planned);
        }

        @Override
        public CompletableFuture<Integer> copies(int wanted, long timeoutMillis) {
            if (failure != null) {
                return CompletableFuture.failedFuture(failure);
            }
            int others = members.size() - 1;
            if (wanted <= others) {
                return CompletableFuture.supplyAsync(() -> others, log);
            }
            CompletableFuture<Integer> late = new CompletableFuture<>();
            counts.add(late);
            return timeoutMillis > 0 ? late.completeOnTimeout(others, timeoutMillis, TimeUnit.MILLISECONDS) : late;
        }

        @Override
        public long changes() {
            return changes.get();
        }

        @Override
        public StorageEngine store() {
            return store;
        }

        @Override
        public String id() {
            return "n" + number;
        }

        @Override
        public boolean isLeader() {
            return leader == number;
        }

        @Override
        public String leaderAddress() {
            return leader < 0 ? null : "127.0.0.1:" + servers.get(leader).port();
        }

        @Override
        public Map<String, String> figures() {
            return Map.of("raft_role", isLeader() ? "leader" : "follower");
        }

        @Override
        public List<Replication.Member> members() {
            List<Replication.Member> all = new ArrayList<>();
            for (LoopbackGroup.Member member : members) {
                all.add(new Replication.Member(
                        "n" + member.number,
                        "127.0.0.1:" + member.number,
                        "127.0.0.1:" + servers.get(member.number).port(),
                        member.isLeader() ? "leader" : "follower",
                        0));
            }
            return all;
        }

        @Override
        public CompletableFuture<Void> add(String member) {
            return CompletableFuture.failedFuture(
                    new ReplicationException(ReplicationException.Kind.REFUSED, null, "no member: " + member, null));
        }

        @Override
        public CompletableFuture<Void> remove(String id) {
            return add(id);
        }

        @Override
        public CompletableFuture<Void> transfer(String id) {
            leader = Integer.parseInt(id.substring(1));
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Long> snapshot() {
            return CompletableFuture.completedFuture(index);
        }

        @Override
        public void close() {}
    }

    private void tick() {
        members.forEach(member -> member.time.set(Instant.ofEpochMilli(clock.millis())));
    }

    private byte[] execute(byte[] commands, int proposer) {
        try {
            index++;
            byte[] replies = null;
            tick();
            for (Member member : members) {
                member.changes.incrementAndGet();
                byte[] own = member.replay.apply(member.store, commands, index, clock.millis());
                member.changes.incrementAndGet();
                replies = member.number == proposer ? own : replies;
            }
            return replies;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
