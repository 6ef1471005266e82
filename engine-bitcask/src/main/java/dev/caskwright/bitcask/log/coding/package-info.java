/**
 * How a record's value and its body stand in a file: compressed by codecs, and encrypted. It may touch files for what errors
 * say, and the notes of codecs in the manifest.
 */
@NullMarked
package dev.caskwright.bitcask.log.coding;

import org.jspecify.annotations.NullMarked;
