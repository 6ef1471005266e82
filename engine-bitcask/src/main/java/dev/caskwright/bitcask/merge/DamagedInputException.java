package dev.caskwright.bitcask.merge;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.log.LogSegment;
import java.io.IOException;

/** Ends a round of a merge before it has changed anything: an input is damaged where something that counts may have been. */
@SuppressWarnings("serial") // it does not leave the merge
final class DamagedInputException extends IOException {
    final LogSegment input;
    final CorruptRecordException damage;
    final boolean isLive;

    DamagedInputException(LogSegment input, CorruptRecordException damage, boolean isLive) {
        super(damage);
        this.input = input;
        this.damage = damage;
        this.isLive = isLive;
    }
}
