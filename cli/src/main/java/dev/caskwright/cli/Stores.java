package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Opens stores: all that the commands know of an engine's making. */
interface Stores {
    /** What a command does with a store. */
    enum Access {
        /** Reads, and changes nothing on disk. */
        READ,
        /** Writes to a store that must exist. */
        WRITE,
        /** Writes to a store that is made if the directory is missing or empty. */
        CREATE,
        /** Writes to a store that is made even if the directory holds other files. */
        CREATE_AMONG_OTHER_FILES
    }

    /** Opens the store in {@code directory}. The caller closes it. */
    StorageEngine open(Path directory, BackendOptions backends, Access access) throws IOException;

    /** Reads every byte of the store in {@code directory} and changes nothing. */
    Verification verify(Path directory, BackendOptions backends) throws IOException;

    /**
     * Makes a new store in {@code target} of what is sound in the store in {@code directory}, which it does not change.
     */
    Salvaged salvage(Path directory, Path target, BackendOptions backends) throws IOException;

    /** What becomes of a copy. */
    enum CopyForm {
        BACKUP,
        CHECKPOINT,
        STORE
    }

    /** Copies the store in {@code directory}, which it only reads, into {@code target}. */
    Copied copy(Path directory, Path target, CopyForm form, BackendOptions backends) throws IOException;

    /**
     * What a copy holds.
     *
     * @param lastVersion the version of the last write that is in it
     * @param doubts what is not in it although it was there once, and files that were left alone
     */
    record Copied(
            long lastVersion, long files, long bytes, long filesBrought, long bytesBrought, List<String> doubts) {}

    /**
     * What a verification found.
     *
     * @param records sound records
     * @param bytes bytes read
     */
    record Verification(long records, long bytes, List<Damage> damages) {}

    /** One damaged place. */
    record Damage(String file, long offset, String what) {}

    /**
     * What a salvage saved and lost.
     *
     * @param records puts and tombstones in the new store
     * @param bytes their bytes
     */
    record Salvaged(long records, long bytes, List<Loss> losses) {}

    /** A lost part of a file; {@code to} equals {@code from} if its length is not known. */
    record Loss(String file, long from, long to, String what) {}
}
