/**
 * A look at a store that a process has open: the owner listens on a socket of the file system beside the store's files ({@link
 * dev.caskwright.owner.OwnerSocket}), and whoever looks asks it ({@link dev.caskwright.owner.AskedStore}).
 *
 * <p>One question a connection: a request of a few bytes, then a stream of answers in frames ({@code Wire}). In the owner, one
 * thread serves the sockets of all stores of the process ({@code OwnerThread}), and rests three times as long as it works; a
 * second one runs backups and merges, one after another ({@code Errands}). So what clients do can cost the owner a quarter of
 * one processor, and memory that is a constant.
 */
@NullMarked
package dev.caskwright.owner;

import org.jspecify.annotations.NullMarked;
