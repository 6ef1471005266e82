package dev.caskwright.server.raft;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.ExitUtils;
import org.apache.ratis.util.TimeDuration;

/**
 * A member of a group that has no store: what Ratis alone makes of entries, as a limit. Whoever leads appends, and tells how many
 * entries a second were agreed on.
 */
public final class EmptyMachine extends BaseStateMachine {
    private static final int FIRST_PORT = 6;

    private EmptyMachine() {}

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext entry) {
        updateLastAppliedTermIndex(
                entry.getLogEntry().getTerm(), entry.getLogEntry().getIndex());
        return CompletableFuture.completedFuture(Message.EMPTY);
    }

    /** Takes a directory, the number of this member, the bytes of an entry, how many are under way, seconds of warm-up and of load, and all ports. */
    public static void main(String[] arguments) throws Exception {
        ExitUtils.disableSystemExit();
        int self = Integer.parseInt(arguments[1]);
        byte[] bytes = new byte[Integer.parseInt(arguments[2])];
        Semaphore underWay = new Semaphore(Integer.parseInt(arguments[3]));
        long warmUpNanos = TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[4]));
        long nanos = TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[5]));
        List<RaftPeer> peers = new ArrayList<>();
        for (int i = FIRST_PORT; i < arguments.length; i++) {
            peers.add(RaftPeer.newBuilder()
                    .setId("n" + (i - FIRST_PORT))
                    .setAddress("127.0.0.1:" + arguments[i])
                    .build());
        }
        RaftGroupId group = RaftGroupId.valueOf(new java.util.UUID(1, 1));
        RaftProperties properties = new RaftProperties();
        GrpcConfigKeys.Server.setHost(properties, "127.0.0.1");
        GrpcConfigKeys.Server.setPort(properties, Integer.parseInt(arguments[FIRST_PORT + self]));
        RaftServerConfigKeys.Rpc.setTimeoutMin(properties, TimeDuration.ONE_SECOND);
        RaftServerConfigKeys.Rpc.setTimeoutMax(properties, TimeDuration.valueOf(2, TimeUnit.SECONDS));
        RaftServerConfigKeys.Log.setLogMetadataEnabled(properties, false);
        RaftServerConfigKeys.setStorageDir(
                properties, List.of(Path.of(arguments[0]).toFile()));
        try (RaftServer server = RaftServer.newBuilder()
                .setServerId(peers.get(self).getId())
                .setGroup(RaftGroup.valueOf(group, peers))
                .setStateMachine(new EmptyMachine())
                .setProperties(properties)
                .build()) {
            server.start();
            RaftServerTest.await(
                    "a leader", () -> server.getDivision(group).getInfo().getLeaderId() != null);
            if (server.getDivision(group).getInfo().isLeader()) {
                RaftServerTest.await(
                        "readiness", () -> server.getDivision(group).getInfo().isLeaderReady());
                ClientId client = ClientId.randomId();
                append(server, client, group, bytes, underWay, warmUpNanos);
                System.out.println(append(server, client, group, bytes, underWay, nanos));
            }
            System.in.read(); // until killed
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private static double append(
            RaftServer server, ClientId client, RaftGroupId group, byte[] bytes, Semaphore underWay, long nanos)
            throws Exception {
        long start = System.nanoTime();
        long count = 0;
        while (System.nanoTime() - start < nanos) {
            underWay.acquire();
            server.submitClientRequestAsync(RaftClientRequest.newBuilder()
                            .setClientId(client)
                            .setServerId(server.getId())
                            .setGroupId(group)
                            .setCallId(org.apache.ratis.rpc.CallId.getAndIncrement())
                            .setMessage(Message.valueOf(UnsafeByteOperations.unsafeWrap(bytes)))
                            .setType(RaftClientRequest.writeRequestType())
                            .build())
                    .whenComplete((reply, failed) -> {
                        if (failed != null || !reply.isSuccess()) {
                            System.err.println("an entry failed: " + failed + ", " + reply);
                        }
                        underWay.release();
                    });
            count++;
        }
        return count * 1e9 / (System.nanoTime() - start);
    }
}
