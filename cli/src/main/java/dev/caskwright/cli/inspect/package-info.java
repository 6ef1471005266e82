/**
 * Shows what single files of stores hold, record by record, whatever state they are in. It goes by the documented formats and not by
 * the readers of the engines, which refuse what is not sound and know of a file by the others. What is held of a file at once is a
 * window of {@link dev.caskwright.cli.inspect.FileWindow#LENGTH} bytes.
 */
@NullMarked
package dev.caskwright.cli.inspect;

import org.jspecify.annotations.NullMarked;
