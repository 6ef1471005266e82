package dev.caskwright.bitcask.store;

import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordReader;

/** What one operation needs to work on a store without allocating: a reader, a draft and a stripe of the epochs. */
public final class Session {
    public final RecordReader reader;

    /** Whether the reader was brought to the record of the index's candidate, and not to another one. */
    public boolean isAtCandidate;

    public final RecordDraft draft;
    public final int stripe;
    /** Where the pool keeps it, or {@link Sessions#NO_SLOT}. */
    public final int slot;

    /** What {@link ReadEpochs#enter} returned, while the session is in an epoch. */
    int pin;

    Session(RecordLog log, int stripe, int slot) {
        this.reader = log.newReader();
        this.draft = log.newDraft();
        this.stripe = stripe;
        this.slot = slot;
    }
}
