/**
 * The bytes: records, blocks, headers and names of files, notes in the manifest, locators, positions. One class has each
 * layout, with a picture of it. Nothing here opens a file or knows another package of the log.
 */
@NullMarked
package dev.caskwright.bitcask.log.format;

import org.jspecify.annotations.NullMarked;
