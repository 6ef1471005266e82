package dev.caskwright.bitcask;

import dev.caskwright.api.spi.RecordDraft;
import dev.caskwright.api.spi.RecordReader;

/** What one thread needs to work on a store without allocating: its reader, its draft and its stripe of the epochs. */
final class Session {
    final RecordReader reader;
    final RecordDraft draft;
    final int stripe;

    Session(RecordReader reader, RecordDraft draft, int stripe) {
        this.draft = draft;
        this.reader = reader;
        this.stripe = stripe;
    }
}
