/**
 * Copies of a log's files into another directory. The files copied are held by the caller and do not change.
 */
@NullMarked
package dev.caskwright.bitcask.log.copy;

import org.jspecify.annotations.NullMarked;
