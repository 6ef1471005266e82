package dev.caskwright.bitcask;

import dev.caskwright.bitcask.log.RecordDraft;
import dev.caskwright.bitcask.log.RecordReader;

/** What one thread needs to work on a store without allocating: its reader, its draft and its stripe of the epochs. */
final class Session {
    final RecordReader reader;
    final RecordDraft draft = new RecordDraft();
    final int stripe;

    Session(RecordReader reader, int stripe) {
        this.reader = reader;
        this.stripe = stripe;
    }
}
