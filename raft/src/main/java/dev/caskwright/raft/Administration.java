package dev.caskwright.raft;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.apache.ratis.protocol.exceptions.ServerNotReadyException;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;

/** What administrators ask of a member: who is in the group, who leads, what is forced. Safe for any number of threads. */
final class Administration {
    private final RaftServer running;
    private final Peers others;
    private final ClientId client;
    private final RaftGroupId group;
    private final RaftMember self;
    private final Executor workers;

    Administration(
            RaftServer running, Peers others, ClientId client, RaftGroupId group, RaftMember self, Executor workers) {
        this.running = running;
        this.others = others;
        this.client = client;
        this.group = group;
        this.self = self;
        this.workers = workers;
    }

    CompletableFuture<Void> transfer(String member, Duration timeout) {
        return ask(() -> running.transferLeadershipAsync(new TransferLeadershipRequest(
                client,
                running.getId(),
                group,
                CallId.getAndIncrement(),
                RaftPeerId.valueOf(member),
                timeout.toMillis())));
    }

    CompletableFuture<Void> snapshot(Duration timeout) {
        long leastEntries = 1; // by default, Ratis does nothing for less than 1,024 entries, however long they are
        return ask(() -> running.snapshotManagementAsync(SnapshotManagementRequest.newCreate(
                client, running.getId(), group, CallId.getAndIncrement(), timeout.toMillis(), leastEntries)));
    }

    CompletableFuture<Void> set(List<RaftMember> members) {
        return change(SetConfigurationRequest.Arguments.newBuilder().setServersInNewConf(peers(members)));
    }

    CompletableFuture<Void> add(RaftMember added, Hello own) {
        List<RaftMember> before = own.members();
        for (RaftMember known : before) {
            if (known.id().equals(added.id()) || known.address().equals(added.address())) {
                return CompletableFuture.failedFuture(
                        new IOException("there is a member of this name or at this address: " + known));
            }
        }
        List<RaftMember> after = new ArrayList<>(before);
        after.add(added);
        return others.askOnce(Peers.peer(added), Peers.HELLO, ByteBuffer.wrap(own.toBytes()), workers)
                .handle((answer, failed) -> {
                    checkWaiting(added, answer, failed);
                    return null;
                })
                .thenCompose(checked -> change(before, after));
    }

    /** Refuses a member that is not one of this group that waits to be taken in. */
    private void checkWaiting(RaftMember added, @Nullable ByteBuffer answer, @Nullable Throwable failed) {
        String problem = null;
        if (answer != null) {
            try {
                Hello said = Hello.of(answer);
                if (!said.members().isEmpty() && !said.knows(self.id())) {
                    problem = "it was begun as a group of its own: its members=" + said.members();
                }
            } catch (UnsupportedFormatException e) {
                problem = String.valueOf(e.getMessage());
            }
        } else if (failed != null && Lookout.isCausedBy(failed, GroupMismatchException.class)) {
            problem = "it is a member of another group";
        } else if (failed != null && !Lookout.isCausedBy(failed, ServerNotReadyException.class)) {
            problem = AddressCheck.reason(failed);
        }
        if (problem != null) {
            throw new CompletionException(new IOException("the member cannot be added: member=" + added + ", " + problem
                    + "; open it first, with the name of this group, an empty directory, and joining"));
        }
    }

    CompletableFuture<Void> remove(String id, Hello own) {
        List<RaftMember> before = own.members();
        List<RaftMember> after =
                before.stream().filter(member -> !member.id().equals(id)).toList();
        if (after.size() == before.size()) {
            return CompletableFuture.failedFuture(new IOException("there is no member of this name: " + id));
        }
        if (after.isEmpty()) {
            return CompletableFuture.failedFuture(new IOException("the last member of a group stays: " + id));
        }
        return change(before, after);
    }

    /** Changes the members unless they are others than they were thought to be. */
    private CompletableFuture<Void> change(List<RaftMember> before, List<RaftMember> after) {
        return change(SetConfigurationRequest.Arguments.newBuilder()
                .setServersInCurrentConf(peers(before))
                .setServersInNewConf(peers(after))
                .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET));
    }

    private CompletableFuture<Void> change(SetConfigurationRequest.Arguments.Builder change) {
        return ask(() -> running.setConfigurationAsync(
                new SetConfigurationRequest(client, running.getId(), group, CallId.getAndIncrement(), change.build())));
    }

    private static List<RaftPeer> peers(List<RaftMember> members) {
        return members.stream().map(Peers::peer).toList();
    }

    /** Asks Ratis. */
    private interface Question {
        CompletableFuture<RaftClientReply> ask() throws IOException;
    }

    private static CompletableFuture<Void> ask(Question question) {
        try {
            return question.ask().thenCompose(reply -> {
                if (reply.isSuccess()) {
                    return CompletableFuture.completedFuture(null);
                }
                return CompletableFuture.failedFuture(
                        new IOException(String.valueOf(reply.getException().getMessage()), reply.getException()));
            });
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
