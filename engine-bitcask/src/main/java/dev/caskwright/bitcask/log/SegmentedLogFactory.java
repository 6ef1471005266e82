package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.RecordLogFactory;
import dev.caskwright.api.spi.RecordLogOpening;
import dev.caskwright.api.spi.RecordLogOptions;
import java.io.IOException;

/** Opens logs in the format of this package. */
public final class SegmentedLogFactory implements RecordLogFactory {
    /** Makes a factory; all are alike. */
    public SegmentedLogFactory() {}

    @Override
    public RecordLogOpening open(IoManager io, IoManager startupIo, RecordLogOptions options) throws IOException {
        return LogOpening.start(io, startupIo, options);
    }

    @Override
    public void verify(IoManager io, VerifyListener listener) throws IOException {
        new LogVerifier(io, listener).run();
    }
}
