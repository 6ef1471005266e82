package dev.caskwright.server.replication;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.cluster.Topology;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A group of servers that agree on one order of changes, as one of its members sees it. The server gives it what its clients ask
 * for, and a {@link Replay} executes it on each member in the order that was agreed.
 *
 * <p>Safe for any number of threads. Futures complete in threads that must not be held up, and fail with {@link
 * ReplicationException}.
 */
public interface Replication extends AutoCloseable {
    /**
     * Has the group take commands into its log.
     *
     * @param commands as {@link Replay#apply} understands them
     * @return what {@link Replay#apply} returned for them; complete once a majority has them on disk and this member, or the one
     *     that it asked, has executed them
     */
    CompletableFuture<byte[]> propose(byte[] commands);

    /** Completes when the store of this member has all that was acknowledged, by any member, before the call. */
    CompletableFuture<Void> barrier();

    /**
     * Waits until other members have all that was acknowledged, by any member, before the call.
     *
     * @param wanted how many of them
     * @param timeoutMillis how long to wait, or 0 for as long as it takes; cancelling the future ends the wait, too
     * @return how many they are then, or more
     */
    CompletableFuture<Integer> copies(int wanted, long timeoutMillis);

    /**
     * Returns how often a change of the store has begun or ended: odd while one is under way. Reads between two calls that return the
     * same even number show one moment.
     */
    long changes();

    /**
     * Returns who has which keys, if each member has a part of them, as the nodes of a Redis Cluster have; null if each has all. If
     * they are parted, what names keys is proposed, reads too, and executed by this member alone; {@link #store} shows the keys that
     * this member is the master of, in threads that may wait.
     */
    default @Nullable Topology topology() {
        return null;
    }

    /** Removes the keys that this member is the master of, if each has a part of them. Keys that are put meanwhile may stay. */
    default CompletableFuture<Void> clear() {
        return CompletableFuture.failedFuture(
                new UnsupportedOperationException("the members have the same keys, and remove them by their log"));
    }

    /** Returns the store of this member, for reads. It stays this object when what is below it is replaced. */
    StorageEngine store();

    /** Returns the name of this member. */
    String id();

    /** Returns whether this member leads. It may have ceased to when the call returns. */
    boolean isLeader();

    /** Returns where clients reach the leader, {@code host:port}, or null if that is not known. */
    @Nullable String leaderAddress();

    /** Returns figures about this member for INFO, names in lower case: role, term, indices, lag. */
    Map<String, String> figures();

    /** Returns the members, those that lag or are gone, too. */
    List<Member> members();

    /** Adds a member: {@code id@host:port/client-port}. It is part of the group once the future completes. */
    CompletableFuture<Void> add(String member);

    /** Removes the member with this name. */
    CompletableFuture<Void> remove(String id);

    /** Has the member with this name lead. */
    CompletableFuture<Void> transfer(String id);

    /** Forces the store of this member, and lets go of the log before it. Completes with the index of the last entry in it. */
    CompletableFuture<Long> snapshot();

    @Override
    void close();

    /**
     * A member of the group.
     *
     * @param id its name
     * @param address where other members reach it
     * @param clientAddress where clients reach it; empty if that is not known
     * @param role {@code leader}, {@code follower} or {@code unknown}
     * @param lagEntries how many entries it is behind what is agreed on, or -1 if this member does not know
     */
    record Member(String id, String address, String clientAddress, String role, long lagEntries) {}
}
