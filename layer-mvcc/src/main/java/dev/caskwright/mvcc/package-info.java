/** A store that keeps every key at every revision, as etcd does, with transactions, watches and leases. */
@NullMarked
package dev.caskwright.mvcc;

import org.jspecify.annotations.NullMarked;
