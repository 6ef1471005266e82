package dev.caskwright.bitcask;

import dev.caskwright.api.spi.BatchDraft;
import dev.caskwright.api.spi.RecordDraft;
import dev.caskwright.api.spi.RecordLog;
import dev.caskwright.api.spi.RecordReader;

/** What one thread needs to work on a store without allocating: its reader, its drafts and its stripe of the epochs. */
final class Session {
    final RecordReader reader;
    final RecordDraft draft;
    final BatchDraft batch;
    final int stripe;

    Session(RecordLog log, int stripe) {
        this.reader = log.newReader();
        this.draft = log.newDraft();
        this.batch = log.newBatchDraft();
        this.stripe = stripe;
    }
}
