/**
 * A store that several processes keep alike: commands are agreed on by Raft and applied by every member to a store of its own.
 *
 * <p>{@link dev.caskwright.raft.RaftNode} is one member. Commands are bytes; an {@link dev.caskwright.raft.Applier} makes
 * changes of the store and a reply of each. {@link dev.caskwright.raft.ReplicatedEngine} is the same as a store, for whoever
 * needs no commands of his own. Consensus, its log and the network between members are Apache Ratis'; what is here joins them
 * to the engine: how commands become entries ({@code WriteQueue}, {@code EntryCodec}), how entries become changes ({@code
 * StoreMachine}, {@code Applied}), how reads know that they are not stale ({@code ReadBarrier}), and how a member that is too
 * far behind gets a copy of another's store ({@code SnapshotServer}, {@code SnapshotFetch}, {@code NodeFiles}).
 */
@NullMarked
package dev.caskwright.raft;

import org.jspecify.annotations.NullMarked;
