package dev.caskwright.api;

import java.io.IOException;
import java.nio.file.Path;

/** Copies of a store that open as stores. Held by engines, and by stores at rest. */
public interface Backups extends Facet {
    /**
     * Writes a consistent copy of the store, as of some moment during the call, into {@code target}: an empty or missing
     * directory, or one that holds an earlier backup of this store, to which only what is new is added. The copy shares no
     * file with the store, is verified by checksum and can be opened as a store. A store that can be read can be backed
     * up, also one that is open read-only or refuses writes.
     *
     * @throws UnsupportedFormatException if the target is something else, was written to since it was a backup, or has
     *     another history than this store; nothing there was changed
     * @throws IllegalArgumentException if the target is the store's directory, lies in it or has it in it
     */
    CopyReport backup(Path target) throws IOException;

    /**
     * Makes a consistent view of the store, as of some moment during the call, in {@code target}, which can be opened as a
     * store of its own: as {@link #backup} does, but quickly and with little space. Where the file system has hard links,
     * it shares the files of the store. So it guards against wrong writes and deletes, and not against a bad disk: what
     * damages a file of the store damages its checkpoints. It is as good as a backup only when it has been copied
     * elsewhere.
     *
     * <p>An engine that shares no files makes a backup.
     */
    default CopyReport checkpoint(Path target) throws IOException {
        return backup(target);
    }
}
