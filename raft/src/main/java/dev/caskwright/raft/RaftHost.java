package dev.caskwright.raft;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachine;
import org.apache.ratis.util.ExitUtils;
import org.jspecify.annotations.Nullable;

/**
 * One server of Ratis: a port, its certificates, and behind it the members that this process is in one group or several. It ends with
 * the last of them.
 */
final class RaftHost {
    static {
        // A port that is taken would end the process otherwise.
        ExitUtils.disableSystemExit();
    }

    private final RaftNodeBuilder options;
    private final RaftMember self;
    private final RaftProperties properties;
    private final Parameters parameters;
    private final Map<RaftGroupId, Part> parts = new ConcurrentHashMap<>();
    private volatile boolean isSeveral;
    private volatile @Nullable RaftServer server;

    /**
     * A member of one group.
     *
     * @param isKnown whether it has a log already
     */
    record Part(RaftGroupId group, boolean isKnown, StoreMachine machine, NodeFiles files) {}

    /** @param options what the members have in common: where they listen, certificates, times and lengths */
    RaftHost(RaftNodeBuilder options, RaftMember self) {
        this.options = options;
        this.self = self;
        properties = RatisSettings.properties(options, self);
        parameters = RatisSettings.parameters(options.tls, self.id());
    }

    /** Refuses an address that cannot be listened on, before anything is touched. */
    void checkPort() throws IOException {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(self.host(), self.port()));
        } catch (IOException e) {
            throw new IOException("the member cannot listen: address=" + self.address() + ": " + e.getMessage(), e);
        }
    }

    /** Something that Ratis does. */
    @FunctionalInterface
    private interface Task {
        void run() throws IOException;
    }

    /**
     * Has Ratis do something in a thread that nobody interrupts, and waits for its end, interrupted or not. Who is interrupted
     * while it waits for Ratis leaves it at work: with logs that it locks after they were given up.
     */
    private void undisturbed(Task task) throws IOException {
        CompletableFuture<@Nullable Void> end = new CompletableFuture<>();
        Runnable all = () -> {
            try {
                task.run();
                end.complete(null);
            } catch (IOException | RuntimeException | Error e) {
                end.completeExceptionally(e);
            }
        };
        new Thread(all, "caskwright-raft-host-" + self.id()).start();
        try {
            end.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof IOException io ? io : new IOException(e);
        }
    }

    /** Makes the server with all that it is to have, which {@link #start} starts. */
    void build(List<Part> all) throws IOException {
        undisturbed(() -> buildNow(all));
    }

    private void buildNow(List<Part> all) throws IOException {
        isSeveral = all.size() > 1;
        all.forEach(part -> parts.put(part.group(), part));
        if (isSeveral) {
            buildForSeveral(all);
            return;
        }
        Part only = all.get(0);
        try {
            keepLogsIn(only.files().log());
            server = builder().setGroup(group(only)).setOption(option(only)).build();
        } catch (IOException | RuntimeException e) {
            throw cannotStart(only.files().log(), e);
        }
    }

    private void buildForSeveral(List<Part> all) throws IOException {
        // Ratis takes whatever it finds in its directory for a group, and without its members: this one is never there.
        Path nowhere = all.get(0).files().removedGroups();
        keepLogsIn(nowhere);
        RaftServer built;
        try {
            built = builder().build();
        } catch (IOException | RuntimeException e) {
            throw cannotStart(nowhere, e);
        }
        Path place = nowhere;
        try {
            for (Part part : all) {
                place = part.files().log();
                add(built, part);
            }
        } catch (IOException | RuntimeException e) {
            IOException failure = cannotStart(place, e);
            release(built, all, failure);
            throw failure;
        }
        server = built;
    }

    /** Closes a server that was not started: Ratis would give back nothing of such a one, neither logs nor threads. */
    private static void release(RaftServer built, List<Part> all, IOException failure) {
        try (built) {
            for (Part part : all) {
                end(built, part.group());
            }
            built.start();
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private RaftServer.Builder builder() {
        return RaftServer.newBuilder()
                .setServerId(RaftPeerId.valueOf(self.id()))
                .setStateMachineRegistry(this::machine)
                .setProperties(properties)
                .setParameters(parameters);
    }

    private StateMachine machine(RaftGroupId group) {
        Part part = parts.get(group);
        if (part == null) {
            throw new IllegalStateException("raft asks for a group that nobody added: " + group);
        }
        return part.machine();
    }

    private void keepLogsIn(Path directory) {
        RaftServerConfigKeys.setStorageDir(properties, List.of(directory.toFile()));
    }

    private RaftGroup group(Part part) {
        List<RaftPeer> all = options.members.stream().map(Peers::peer).toList();
        return options.isJoining ? RaftGroup.valueOf(part.group()) : RaftGroup.valueOf(part.group(), all);
    }

    private static RaftStorage.StartupOption option(Part part) {
        return part.isKnown() ? RaftStorage.StartupOption.RECOVER : RaftStorage.StartupOption.FORMAT;
    }

    /** Adds a member of one of several groups. Where its log lies is read while this lasts. */
    private void add(RaftServer built, Part part) throws IOException {
        keepLogsIn(part.files().log());
        GroupManagementRequest request = GroupManagementRequest.newAdd(
                ClientId.randomId(),
                RaftPeerId.valueOf(self.id()),
                CallId.getAndIncrement(),
                group(part),
                !part.isKnown());
        CompletableFuture<RaftClientReply> adding = built.groupManagementAsync(request);
        // Asked for at once: Ratis forgets a group that does not start, and leaves its log locked.
        RaftServer.Division division = built.getDivision(part.group());
        boolean isAdded = false;
        try {
            RaftClientReply reply = adding.get();
            if (!reply.isSuccess()) {
                throw new IOException("the group cannot be added: " + reply.getException(), reply.getException());
            }
            isAdded = true;
        } catch (ExecutionException e) {
            throw new IOException("the group cannot be added: " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a group was added", e);
        } finally {
            if (!isAdded) {
                division.close();
            }
        }
    }

    /** Listens, and takes part. */
    void start() throws IOException {
        try {
            undisturbed(server()::start);
        } catch (IOException | RuntimeException e) {
            throw cannotStart(options.directory, e);
        }
    }

    /** Returns an error that begins with the first cause: Ratis wraps it several times. */
    private IOException cannotStart(Path directory, Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new IOException(
                "raft cannot be started: directory=" + directory + ", address=" + self.address() + ": " + cause,
                failure);
    }

    /** Returns the server, which has been built. */
    private RaftServer server() throws IOException {
        RaftServer running = server;
        if (running == null) {
            throw new IOException("the server of raft is not there");
        }
        return running;
    }

    /** Returns the server, or null if it has not been built. */
    @Nullable RaftServer serverOrNull() {
        return server;
    }

    RaftProperties properties() {
        return properties;
    }

    Parameters parameters() {
        return parameters;
    }

    /** Has the member of a group take no part any more, after a failure; the port is given back if it is the only one. */
    void stop(RaftGroupId group) throws IOException {
        RaftServer running = server;
        if (running != null) {
            undisturbed(isSeveral ? () -> end(running, group) : running::close);
        }
    }

    /** Ends the part in a group; with the last one, the server. */
    void leave(RaftGroupId group) throws IOException {
        RaftServer running = server;
        if (parts.remove(group) == null || running == null) {
            return;
        }
        undisturbed(parts.isEmpty() ? running::close : () -> end(running, group));
    }

    private static void end(RaftServer running, RaftGroupId group) throws IOException {
        for (RaftGroupId each : running.getGroupIds()) {
            if (each.equals(group)) {
                running.getDivision(group).close();
            }
        }
    }
}
