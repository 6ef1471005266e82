package dev.caskwright.bitcask;

import dev.caskwright.api.CorruptRecordException;
import java.io.IOException;

/** Ends a merge before it has changed anything: the index calls something dead that is not, by what the log says. */
@SuppressWarnings("serial") // it does not leave the merge
final class UnprovedException extends IOException {
    final CorruptRecordException lie;

    UnprovedException(CorruptRecordException lie) {
        super(lie);
        this.lie = lie;
    }
}
