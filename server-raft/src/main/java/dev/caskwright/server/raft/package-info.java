/**
 * {@code mode raft} of the server: what its clients ask for becomes commands of a {@link dev.caskwright.raft.RaftNode}, and what the
 * group has agreed on is executed by the code of the server over the node's store ({@code ReplayView}); reads go to that store
 * ({@code LocalStore}).
 */
@NullMarked
package dev.caskwright.server.raft;

import org.jspecify.annotations.NullMarked;
