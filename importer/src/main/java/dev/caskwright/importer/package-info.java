/**
 * Reads the files of other stores: each {@link dev.caskwright.importer.ForeignFormat} tells a
 * {@link dev.caskwright.importer.Receiver} the entries that its store would show, and the damage that it met. It knows nothing of
 * where the entries go.
 */
@NullMarked
package dev.caskwright.importer;

import org.jspecify.annotations.NullMarked;
