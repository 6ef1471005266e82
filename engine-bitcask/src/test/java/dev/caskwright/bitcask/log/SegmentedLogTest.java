package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.RecordLogFactory;
import dev.caskwright.testkit.RecordLogContract;

final class SegmentedLogTest extends RecordLogContract {
    @Override
    protected RecordLogFactory factory() {
        return new SegmentedLogFactory();
    }
}
