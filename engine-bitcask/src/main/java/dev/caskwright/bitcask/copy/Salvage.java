package dev.caskwright.bitcask.copy;

import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.log.salvage.LogSalvage;
import dev.caskwright.bitcask.log.segmented.ClosedLog;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Saves what is sound in a damaged store; see {@code BitcaskEngine.salvage}. For one thread. */
public final class Salvage implements LogSalvage.Listener {
    private final List<SalvageReport.Loss> losses = new ArrayList<>();
    private long records;
    private long bytes;

    private Salvage() {}

    @SuppressWarnings("try") // the locks are only held
    public static SalvageReport run(
            Path directory, Path newDirectory, IoManagerFactory ioFactory, @Nullable Encryption encryption)
            throws IOException {
        Copies.refuseOverlap(directory, newDirectory, ioFactory);
        Salvage salvage = new Salvage();
        try (IoManager io = ioFactory.open(directory, false);
                IoManager.Lock lock = ClosedLog.lock(io);
                IoManager target = ioFactory.open(newDirectory, true)) {
            Copies.refuseFiles(target);
            try (IoManager.Lock targetLock = target.lock(true)) {
                Copies.refuseFiles(target);
                new LogSalvage(io, target, encryption, new SecureRandom()::nextLong, salvage).run();
            }
        }
        return new SalvageReport(salvage.records, salvage.bytes, List.copyOf(salvage.losses));
    }

    @Override
    public void lost(String file, long from, long to, String what) {
        losses.add(new SalvageReport.Loss(file, from, to, what));
    }

    @Override
    public void saved(long moreRecords, long moreBytes) {
        records += moreRecords;
        bytes += moreBytes;
    }
}
