package dev.caskwright.raft;

/** What a member does in its group. */
public enum Role {
    /** Decides the order of commands. */
    LEADER,
    /** Follows a leader, or waits for one. */
    FOLLOWER,
    /** Asks for votes. */
    CANDIDATE,
    /** Has just been opened, or is not in the group: it waits to be added, or was removed. */
    STARTING,
    /** Was closed, or has failed: {@link RaftState#failure} says why. */
    STOPPED
}
