/** Reads stores of bolt, which bbolt and etcd use. */
@NullMarked
package dev.caskwright.importer.bolt;

import org.jspecify.annotations.NullMarked;
