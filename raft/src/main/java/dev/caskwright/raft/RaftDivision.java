package dev.caskwright.raft;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.ratis.proto.RaftProtos.CommitInfoProto;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.jspecify.annotations.Nullable;

/** What Ratis knows of one group, and does for its member in this process. Safe for any number of threads. */
final class RaftDivision {
    private final RaftHost host;
    private final RaftGroupId group;
    private final ClientId client;
    private final List<RaftMember> configured;

    /** @param configured the members that the group was begun with, as far as this process knows */
    RaftDivision(RaftHost host, RaftGroupId group, ClientId client, List<RaftMember> configured) {
        this.host = host;
        this.group = group;
        this.client = client;
        this.configured = configured;
    }

    private RaftServer.@Nullable Division division() {
        RaftServer running = host.serverOrNull();
        if (running == null) {
            return null;
        }
        try {
            return running.getDivision(group);
        } catch (IOException e) {
            return null; // the group is being closed, and its members are not known any more
        }
    }

    /** Returns what Ratis says of the member, or null if it is not there. */
    @Nullable DivisionInfo info() {
        RaftServer.Division division = division();
        return division == null ? null : division.getInfo();
    }

    /** Returns whether Raft has made this member the leader; it may not be ready. */
    boolean isLeader() {
        DivisionInfo info = info();
        return info != null && info.isLeader();
    }

    /** Returns the name of the leader that is known, or null. */
    @Nullable String leader() {
        DivisionInfo info = info();
        RaftPeerId leader = info == null ? null : info.getLeaderId();
        return leader == null ? null : leader.toString();
    }

    /** Returns the index of the last entry that is known to be agreed on, and on disk here; -1 if there is none. */
    long committed() {
        RaftServer.Division division = division();
        return division == null ? -1 : division.getRaftLog().getLastCommittedIndex();
    }

    /** Returns the term of an entry in the log; -1 if it is not there. */
    long termOf(long index) {
        RaftServer.Division division = division();
        TermIndex logged = division == null ? null : division.getRaftLog().getTermIndex(index);
        return logged == null ? -1 : logged.getTerm();
    }

    /** Returns what the member does. */
    Role role() {
        RaftServer.Division division = division();
        if (division == null || !division.getInfo().isAlive()) {
            return Role.STOPPED;
        }
        DivisionInfo info = division.getInfo();
        if (division.getRaftConf().getPeer(division.getId()) == null) {
            return Role.STARTING;
        }
        if (info.isLeader()) {
            return info.isLeaderReady() ? Role.LEADER : Role.CANDIDATE;
        }
        return info.isCandidate() ? Role.CANDIDATE : info.isFollower() ? Role.FOLLOWER : Role.STARTING;
    }

    /** Returns the members by their names; those that are configured if the group is not there. */
    List<RaftMember> members() {
        RaftServer.Division division = division();
        return division == null
                ? configured
                : division.getRaftConf().getAllPeers().stream()
                        .map(Peers::member)
                        .sorted(Comparator.comparing(RaftMember::id))
                        .toList();
    }

    /** Returns how far each other member is behind; empty unless this one leads. */
    List<RaftState.Lag> lags(long committed) {
        RaftServer.Division division = division();
        List<RaftState.Lag> lags = new ArrayList<>();
        if (division != null && division.getInfo().isLeader()) {
            String self = division.getId().toString();
            for (CommitInfoProto info : division.getCommitInfos()) {
                String id = info.getServer().getId().toStringUtf8();
                if (!id.equals(self)) {
                    lags.add(new RaftState.Lag(id, Math.max(0, committed - info.getCommitIndex())));
                }
            }
            lags.sort(Comparator.comparing(RaftState.Lag::id));
        }
        return lags;
    }

    /** Returns for how many milliseconds a member has not answered this one, which leads; the greatest number if that is not known. */
    long silentMillis(String member) {
        DivisionInfo info = info();
        if (info != null && info.isLeader()) {
            for (ServerRpcProto follower :
                    info.getRoleInfoProto().getLeaderInfo().getFollowerInfoList()) {
                if (follower.getId().getId().toStringUtf8().equals(member)) {
                    return follower.getLastRpcElapsedTimeMs();
                }
            }
        }
        return Long.MAX_VALUE;
    }

    /** Returns all that can be asked: the members, and those that are configured. */
    Iterable<RaftPeer> knownPeers() {
        RaftServer.Division division = division();
        List<RaftPeer> all = new ArrayList<>();
        if (division != null) {
            all.addAll(division.getRaftConf().getAllPeers());
        }
        for (RaftMember member : configured) {
            if (all.stream().noneMatch(peer -> peer.getId().toString().equals(member.id()))) {
                all.add(Peers.peer(member));
            }
        }
        return all;
    }

    /** Completes once whatever had been acknowledged is applied here. */
    CompletableFuture<?> readIndex() {
        return submit(CallId.getAndIncrement(), Message.EMPTY, RaftClientRequest.readRequestType());
    }

    /** Has the group take an entry into its log, at the leader. */
    CompletableFuture<?> append(long callId, Message entry) {
        return submit(callId, entry, RaftClientRequest.writeRequestType());
    }

    /** Hands a request to this member; the future fails if the reply is a refusal. */
    private CompletableFuture<RaftClientReply> submit(long callId, Message message, RaftClientRequest.Type type) {
        RaftServer running = host.serverOrNull();
        if (running == null) {
            return CompletableFuture.failedFuture(new IOException("the node is closed"));
        }
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(running.getId())
                .setGroupId(group)
                .setCallId(callId)
                .setMessage(message)
                .setType(type)
                .build();
        CompletableFuture<RaftClientReply> reply;
        try {
            reply = running.submitClientRequestAsync(request);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
        return reply.thenApply(answer -> {
            if (!answer.isSuccess()) {
                throw new CompletionException(answer.getException());
            }
            return answer;
        });
    }
}
