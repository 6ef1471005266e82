package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.log.LogSegment;
import java.io.IOException;

/** Ends a merge before it has changed anything: the index or a cache calls something dead that is not, by what the log says. */
@SuppressWarnings("serial") // it does not leave the merge
final class UnprovedException extends IOException {
    final CorruptRecordException lie;

    UnprovedException(CorruptRecordException lie) {
        super(lie);
        this.lie = lie;
    }

    /** Makes the error for what a cache of a file, or the index that was filled from caches, says wrongly. */
    static UnprovedException of(LogSegment file, String what) {
        return new UnprovedException(new CorruptRecordException(
                "the key index does not agree with the log, so files are not merged, reopen the store",
                file.name(),
                0,
                what));
    }
}
