package dev.caskwright.raft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a member knows of itself and its group.
 *
 * @param id the member
 * @param role what it does
 * @param term the term of Raft that it has seen
 * @param leader the id of the leader that it knows of, or null
 * @param members the members of the group, in the order of their ids
 * @param applied the index of the last entry that is in its store; -1 if there is none
 * @param committed the index of the last entry that it knows to be agreed on; what is beyond {@code applied} will be applied
 * @param durable the index up to which its store survives a power loss without the log
 * @param timeMillis the time that expiry goes by on all members, in milliseconds since 1970: that of the last entry
 * @param lags for each other member, how many entries it is known to be behind {@code committed}; only a leader knows
 * @param warnings what is wrong with the group as far as this member sees, in sentences; empty if nothing is
 * @param failure why this member has stopped, or null if it has not
 */
public record RaftState(
        String id,
        Role role,
        long term,
        @Nullable String leader,
        List<RaftMember> members,
        long applied,
        long committed,
        long durable,
        long timeMillis,
        List<Lag> lags,
        List<String> warnings,
        @Nullable Throwable failure) {
    /** How many entries a member is behind. */
    public record Lag(String id, long entries) {}

    /** Returns whether this member leads the group. */
    public boolean isLeader() {
        return role == Role.LEADER;
    }

    /** Returns how many entries this member has still to apply. */
    public long lag() {
        return Math.max(0, committed - applied);
    }
}
