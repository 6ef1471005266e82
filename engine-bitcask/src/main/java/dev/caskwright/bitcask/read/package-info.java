/**
 * Reads: of single keys, of all keys in any order or in the order of keys, of snapshots, and of changes in the order of
 * commits. They take no lock: they hold a read epoch of {@code store} while they use a locator. They may touch {@code store}
 * and what it stands on, and change nothing.
 */
@NullMarked
package dev.caskwright.bitcask.read;

import org.jspecify.annotations.NullMarked;
