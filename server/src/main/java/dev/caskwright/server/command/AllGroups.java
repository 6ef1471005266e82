package dev.caskwright.server.command;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Several groups of the same servers as one: for what is of a node and not of a key. It is about the groups that this node leads; so
 * whoever asks all masters has asked for all keys, and for each once.
 */
final class AllGroups implements Replication {
    private final List<Replication> groups;

    AllGroups(List<Replication> groups) {
        this.groups = groups;
    }

    private List<Replication> led() {
        return groups.stream().filter(Replication::isLeader).toList();
    }

    private static <T> CompletableFuture<List<T>> all(
            List<Replication> some, Function<Replication, CompletableFuture<T>> question) {
        List<CompletableFuture<T>> answers = some.stream().map(question).toList();
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                .thenApply(done -> answers.stream().map(CompletableFuture::join).toList());
    }

    /** Has each group that this node leads execute the commands; they are not one change. */
    @Override
    public CompletableFuture<byte[]> propose(byte[] commands) {
        List<Replication> led = led();
        if (led.isEmpty()) {
            return CompletableFuture.failedFuture(new ReplicationException(
                    ReplicationException.Kind.NOT_LEADER, null, "this node leads no group", null));
        }
        return all(led, group -> group.propose(commands)).thenApply(replies -> replies.get(0));
    }

    @Override
    public CompletableFuture<Void> barrier() {
        return all(led(), Replication::barrier).thenAccept(done -> {});
    }

    @Override
    public CompletableFuture<Integer> copies(int wanted, long timeoutMillis) {
        List<Replication> led = led();
        CompletableFuture<List<Integer>> counts =
                all(led.isEmpty() ? groups : led, group -> group.copies(wanted, timeoutMillis));
        return counts.thenApply(
                all -> all.stream().mapToInt(Integer::intValue).min().orElse(0));
    }

    @Override
    public long changes() {
        long sum = 0;
        long isChanging = 0;
        for (Replication group : groups) {
            long changes = group.changes();
            sum += changes;
            isChanging |= changes & 1;
        }
        return sum << 1 | isChanging;
    }

    @Override
    public StorageEngine store() {
        return groups.get(0).store();
    }

    @Override
    public String id() {
        return groups.get(0).id();
    }

    @Override
    public boolean isLeader() {
        return groups.stream().anyMatch(Replication::isLeader);
    }

    @Override
    public @Nullable String leaderAddress() {
        return groups.get(0).leaderAddress();
    }

    @Override
    public Map<String, String> figures() {
        Map<String, String> figures = new LinkedHashMap<>();
        figures.put("raft_groups", Integer.toString(groups.size()));
        for (int i = 0; i < groups.size(); i++) {
            int number = i;
            groups.get(i).figures().forEach((name, value) -> figures.put("group_" + number + "_" + name, value));
        }
        return figures;
    }

    @Override
    public List<Member> members() {
        return new ArrayList<>(groups.get(0).members());
    }

    private static <T> CompletableFuture<T> ofOneGroup() {
        return CompletableFuture.failedFuture(new ReplicationException(
                ReplicationException.Kind.REFUSED, null, "there are several groups: say which", null));
    }

    @Override
    public CompletableFuture<Void> add(String member) {
        return ofOneGroup();
    }

    @Override
    public CompletableFuture<Void> remove(String id) {
        return ofOneGroup();
    }

    @Override
    public CompletableFuture<Void> transfer(String id) {
        return ofOneGroup();
    }

    @Override
    public CompletableFuture<Long> snapshot() {
        return all(groups, Replication::snapshot)
                .thenApply(indices ->
                        indices.stream().mapToLong(Long::longValue).min().orElse(0));
    }

    /** Does nothing: whoever has opened the groups closes them. */
    @Override
    public void close() {}
}
