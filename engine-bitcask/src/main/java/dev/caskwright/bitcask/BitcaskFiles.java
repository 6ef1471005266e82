package dev.caskwright.bitcask;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.IoManagerFactory;
import java.io.IOException;
import java.nio.file.Path;

/** What can be done with a store that is not open. */
record BitcaskFiles(Path directory, IoManagerFactory io)
        implements StoreAtRest, Integrity, Salvaging, Backups, Restoring {
    @Override
    public VerifyReport verify() throws IOException {
        return BitcaskEngine.verify(directory, io);
    }

    @Override
    public SalvageReport salvage(Path newStore) throws IOException {
        return BitcaskEngine.salvage(directory, newStore, io);
    }

    @Override
    public CopyReport backup(Path target) throws IOException {
        return BitcaskEngine.backup(directory, target, io);
    }

    @Override
    public CopyReport checkpoint(Path target) throws IOException {
        return BitcaskEngine.checkpoint(directory, target, io);
    }

    @Override
    public CopyReport restoreTo(Path newStore) throws IOException {
        return BitcaskEngine.restore(directory, newStore, io);
    }

    @Override
    public String describe() {
        return "engine=" + BitcaskProvider.NAME + " at rest";
    }
}
