package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;

/** Opens stores with the Bitcask engine. */
final class BitcaskStores implements Stores {
    @Override
    public StorageEngine open(Path directory, BackendOptions backends, Access access) throws IOException {
        // Commands come and go: one that merged in the background would be gone before it was done, or be waited for.
        var builder = BitcaskEngine.builder(directory)
                .io(backends.io())
                .startupIo(backends.startupIo())
                .index(backends.index())
                .durability(backends.durability())
                .readOnly(access == Access.READ)
                .createIfMissing(access == Access.CREATE || access == Access.CREATE_AMONG_OTHER_FILES)
                .createAmongOtherFiles(access == Access.CREATE_AMONG_OTHER_FILES)
                .autoMerge(false);
        return builder.open();
    }

    @Override
    public Verification verify(Path directory, BackendOptions backends) throws IOException {
        var report = BitcaskEngine.verify(directory, backends.io());
        return new Verification(
                report.records(),
                report.bytes(),
                report.damages().stream()
                        .map(damage -> new Damage(damage.file(), damage.offset(), damage.what()))
                        .toList());
    }

    @Override
    public Copied copy(Path directory, Path target, CopyForm form, BackendOptions backends) throws IOException {
        var report = switch (form) {
            case BACKUP -> BitcaskEngine.backup(directory, target, backends.io());
            case CHECKPOINT -> BitcaskEngine.checkpoint(directory, target, backends.io());
            case STORE -> BitcaskEngine.restore(directory, target, backends.io());
        };
        return new Copied(
                report.lastVersion(),
                report.files(),
                report.bytes(),
                report.filesBrought(),
                report.bytesBrought(),
                report.doubts());
    }

    @Override
    public Salvaged salvage(Path directory, Path target, BackendOptions backends) throws IOException {
        var report = BitcaskEngine.salvage(directory, target, backends.io());
        return new Salvaged(
                report.records(),
                report.bytes(),
                report.losses().stream()
                        .map(loss -> new Loss(loss.file(), loss.from(), loss.to(), loss.what()))
                        .toList());
    }
}
