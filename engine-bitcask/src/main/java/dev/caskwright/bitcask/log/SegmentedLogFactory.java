package dev.caskwright.bitcask.log;

import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.check.LogVerifier;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.segmented.LogOpening;
import java.io.IOException;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Opens logs in the format of this package. */
public final class SegmentedLogFactory implements RecordLogFactory {
    /** Makes a factory; all are alike. */
    public SegmentedLogFactory() {}

    @Override
    public RecordLogOpening open(IoManager io, IoManager startupIo, RecordLogOptions options) throws IOException {
        return LogOpening.start(io, startupIo, options);
    }

    @Override
    public boolean isLog(Collection<String> names) {
        // What is named .new was being made: there may be no log yet.
        return names.stream().anyMatch(name -> isOwn(name) && !name.endsWith(".new"));
    }

    @Override
    public boolean isOwn(String name) {
        return name.equals(FileNames.MANIFEST) || FileNames.isOurs(name);
    }

    @Override
    public void verify(IoManager io, VerifyListener listener) throws IOException {
        verify(io, null, listener);
    }

    /** As {@link #verify(IoManager, VerifyListener)}, of a log that may be encrypted. */
    public void verify(IoManager io, @Nullable Encryption encryption, VerifyListener listener) throws IOException {
        new LogVerifier(io, encryption, listener).run();
    }
}
