package dev.caskwright.bolt;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A bucket at one moment. */
final class BoltSnapshot extends BucketView implements Snapshot {
    private final StatePin pin;

    BoltSnapshot(BoltEngine engine, StatePin pin) {
        super(engine.path());
        this.pin = pin;
    }

    @Override
    <T> @Nullable T read(Read<T> read) throws IOException {
        BoltTransaction transaction = pin.enter();
        try {
            return read.of(bucket(transaction));
        } finally {
            pin.leave();
        }
    }

    @Override
    public Cursor cursor() throws IOException {
        return range(Range.all());
    }

    @Override
    public Cursor range(Range range) throws IOException {
        pin.enter();
        pin.leave(); // only to see that it is open
        return new BucketEntries(this, pin, range, () -> {});
    }

    @Override
    public long version() {
        return pin.state();
    }

    @Override
    public void close() {
        pin.close();
    }
}
