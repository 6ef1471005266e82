package dev.caskwright.bitcask;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.bitcask.copy.Copies;
import dev.caskwright.bitcask.copy.Salvage;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What can be done with a store that is not open. */
record BitcaskFiles(
        Path directory, IoManagerFactory io, @Nullable Encryption encryption)
        implements StoreAtRest, Integrity, Salvaging, Backups, Restoring {
    @Override
    public VerifyReport verify() throws IOException {
        return BitcaskEngine.verify(directory, io, encryption);
    }

    @Override
    public SalvageReport salvage(Path newStore) throws IOException {
        return Salvage.run(directory, newStore, io, encryption);
    }

    @Override
    public CopyReport backup(Path target) throws IOException {
        return Copies.copy(directory, target, io, encryption, LogCopy.Form.BACKUP);
    }

    @Override
    public CopyReport checkpoint(Path target) throws IOException {
        return Copies.copy(directory, target, io, encryption, LogCopy.Form.CHECKPOINT);
    }

    @Override
    public CopyReport restoreTo(Path newStore) throws IOException {
        return Copies.copy(directory, newStore, io, encryption, LogCopy.Form.STORE);
    }

    @Override
    public String describe() {
        return "engine=" + BitcaskProvider.NAME + " at rest";
    }
}
