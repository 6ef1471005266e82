/** Reads stores of RocksDB. */
@NullMarked
package dev.caskwright.importer.rocksdb;

import org.jspecify.annotations.NullMarked;
