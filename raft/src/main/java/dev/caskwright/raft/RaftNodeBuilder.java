package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.bitcask.EngineBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Configures a member of a group. For one thread; {@link RaftNode#builder} makes one. */
public final class RaftNodeBuilder {
    static final int LEAST_MILLIS = 50;
    static final int MOST_COMMAND_BYTES = 60 << 20; // a message of gRPC has 64 MiB
    static final long LEAST_SNAPSHOT_BYTES = 1 << 10;

    final Path directory;
    final List<RaftMember> members = new ArrayList<>();
    final Map<Byte, Applier> appliers = new HashMap<>();

    @Nullable UUID group;

    @Nullable String id;

    @Nullable RaftTls tls;

    boolean isJoining;
    String about = "";
    UnaryOperator<EngineBuilder> store = UnaryOperator.identity();
    Duration electionTimeout = Duration.ofSeconds(1);
    Duration requestTimeout = Duration.ofSeconds(10);
    Duration tick = Duration.ofMillis(100);
    int maxCommandBytes = 8 << 20;
    long snapshotEveryBytes = 64L << 20;
    InstantSource clock = InstantSource.system();

    Runnable changed = () -> {};

    /** Is told steps that tests crash at. */
    Consumer<String> steps = step -> {};

    RaftNodeBuilder(Path directory) {
        this.directory = Objects.requireNonNull(directory, "directory");
    }

    /** Sets the group by a name, which the members have in common and no other group has. */
    public RaftNodeBuilder group(String name) {
        return group(UUID.nameUUIDFromBytes(name.getBytes(UTF_8)));
    }

    /** Sets the group by its id, which the members have in common and no other group has. */
    public RaftNodeBuilder group(UUID groupId) {
        group = Objects.requireNonNull(groupId, "groupId");
        return this;
    }

    /** Sets which member this is. */
    public RaftNodeBuilder id(String memberId) {
        id = Objects.requireNonNull(memberId, "memberId");
        return this;
    }

    /**
     * Sets the members of the group, this one included: the same list on each of them when the group is begun. Later, the group
     * knows its members itself, and the list says only where this member listens.
     */
    public RaftNodeBuilder members(List<RaftMember> all) {
        members.clear();
        members.addAll(all);
        return this;
    }

    /**
     * Sets whether this member is to be added to a group that is there, by {@link RaftNode#setMembers} at another one; off by
     * default. It does nothing until then. Without effect once it belongs to the group.
     */
    public RaftNodeBuilder joining(boolean joins) {
        isJoining = joins;
        return this;
    }

    /**
     * Sets how the store is opened: what is given is changed and returned. Index and IO manager are free, and may differ between
     * members. Directory, clock, durability, and what was told of expiry are the node's own, and set by it.
     */
    public RaftNodeBuilder store(UnaryOperator<EngineBuilder> options) {
        store = Objects.requireNonNull(options, "options");
        return this;
    }

    /**
     * Sets what runs commands of a kind, 1 to 127. All members need the same. Kind {@value ReplicatedEngine#KIND} is that of {@link
     * ReplicatedEngine}, which is always there.
     */
    public RaftNodeBuilder applier(int kind, Applier applier) {
        if (kind < 1 || kind > Byte.MAX_VALUE) {
            throw new IllegalArgumentException("kind out of range: " + kind + ", allowed=1.." + Byte.MAX_VALUE);
        }
        appliers.put((byte) kind, Objects.requireNonNull(applier, "applier"));
        return this;
    }

    /**
     * Sets after how long without a word from the leader another is elected: between this and twice as long; 50 ms or more, a
     * second by default. It must be well above the longest pause of a process and of the network. A leader that cannot reach a
     * majority for as long steps down.
     */
    public RaftNodeBuilder electionTimeout(Duration least) {
        electionTimeout = atLeast("electionTimeout", least);
        return this;
    }

    /** Sets after how long a command or a read barrier that is not answered fails; 50 ms or more, ten seconds by default. */
    public RaftNodeBuilder requestTimeout(Duration longest) {
        requestTimeout = atLeast("requestTimeout", longest);
        return this;
    }

    /**
     * Sets how often the leader logs the time when there are no commands, while there are entries that expire; 50 ms or more, 100
     * ms by default. An entry may stay visible for as long after its time, plus what the clock of a new leader is behind.
     */
    public RaftNodeBuilder tick(Duration period) {
        tick = atLeast("tick", period);
        return this;
    }

    /** Sets the greatest length of a command in bytes, up to 60 MiB; 8 MiB by default. All members need the same. */
    public RaftNodeBuilder maxCommandBytes(int bytes) {
        if (bytes < 1 || bytes > MOST_COMMAND_BYTES) {
            throw new IllegalArgumentException(
                    "maxCommandBytes out of range: " + bytes + ", allowed=1.." + MOST_COMMAND_BYTES);
        }
        maxCommandBytes = bytes;
        return this;
    }

    /**
     * Sets after how many bytes of the log the store is forced and the log before the last force but one is given back; 64 MiB by
     * default. So the log keeps once to twice as much, in segments of an eighth of it (64 KiB to 8 MiB), whether all members live
     * or not. A member that was away for longer than the log goes back copies a store.
     */
    public RaftNodeBuilder snapshotEveryBytes(long bytes) {
        if (bytes < LEAST_SNAPSHOT_BYTES) {
            throw new IllegalArgumentException(
                    "snapshotEveryBytes must be at least " + LEAST_SNAPSHOT_BYTES + ": " + bytes);
        }
        snapshotEveryBytes = bytes;
        return this;
    }

    /** Sets a short text that other members can ask for, by {@link RaftNode#about}, such as where clients reach this one. */
    public RaftNodeBuilder about(String text) {
        about = Objects.requireNonNull(text, "text");
        return this;
    }

    /**
     * Sets what is run after the leader that this member knows of, or the members, may have changed. It must be short, and neither
     * wait nor close the node; the state may be read.
     */
    public RaftNodeBuilder onChange(Runnable watcher) {
        changed = Objects.requireNonNull(watcher, "watcher");
        return this;
    }

    /** Sets the clock that this member times entries by when it leads; the system's by default. */
    public RaftNodeBuilder clock(InstantSource source) {
        clock = Objects.requireNonNull(source, "source");
        return this;
    }

    /** Sets certificates for the connections between members; without them, whoever reaches the port is believed. */
    public RaftNodeBuilder tls(RaftTls certificates) {
        tls = Objects.requireNonNull(certificates, "certificates");
        return this;
    }

    /**
     * Opens the member: its directory is claimed or checked, its store opened, and its port listened on. It takes part from then
     * on; {@link RaftNode#state} tells how far that is.
     *
     * @throws IllegalStateException if group, id or members are not set
     * @throws IllegalArgumentException if the members do not contain this one, or two of them share an id or an address
     * @throws dev.caskwright.api.UnsupportedFormatException if the directory belongs to another member or group, or holds
     *     something else; nothing was changed
     * @throws dev.caskwright.api.EngineLockedException if another node has it open, in this process or another; nothing was changed
     * @throws IOException if the system refuses, such as the port
     */
    public RaftNode open() throws IOException {
        check();
        return RaftNode.open(this, checkedGroup(), checkedId());
    }

    /** Refuses what does not fit together. */
    void check() {
        checkedGroup();
        String self = checkedId();
        Set<String> ids = new HashSet<>();
        Set<String> addresses = new HashSet<>();
        for (RaftMember member : members) {
            if (!ids.add(member.id()) || !addresses.add(member.address())) {
                throw new IllegalArgumentException("two members share an id or an address: members=" + members);
            }
        }
        if (!ids.contains(self)) {
            throw new IllegalArgumentException(
                    "the list of members lacks this one: id=" + self + ", members=" + members);
        }
    }

    private IllegalStateException incomplete() {
        return new IllegalStateException(
                "a member needs a group, an id and the list of members: call group(...), id(...) and"
                        + " members(...) first");
    }

    UUID checkedGroup() {
        if (group == null || members.isEmpty()) {
            throw incomplete();
        }
        return group;
    }

    String checkedId() {
        if (id == null) {
            throw incomplete();
        }
        return id;
    }

    /** Returns whether this and another one can be served by one server of Ratis, whose settings are for all its groups. */
    boolean isOnOneHostWith(RaftNodeBuilder other) {
        return Objects.equals(id, other.id)
                && members.equals(other.members)
                && Objects.equals(tls, other.tls)
                && isJoining == other.isJoining
                && electionTimeout.equals(other.electionTimeout)
                && requestTimeout.equals(other.requestTimeout)
                && maxCommandBytes == other.maxCommandBytes
                && snapshotEveryBytes == other.snapshotEveryBytes;
    }

    /** Returns the member of this name, which is in the list. */
    RaftMember self(String name) {
        return members.stream()
                .filter(member -> member.id().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Duration atLeast(String option, Duration value) {
        if (value.compareTo(Duration.ofMillis(LEAST_MILLIS)) < 0 || value.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException(option + " out of range: " + value + ", allowed=50 ms..1 day");
        }
        return value;
    }
}
