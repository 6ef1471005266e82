package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.owner.OwnerSocket;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Whether others may look at a store while a command has it open. */
final class OwnerSocketOption {
    @Option(
            names = "--no-owner-socket",
            description =
                    "Open no socket in the directory of the store, over which other commands of the same user ask this"
                            + " process for figures, entries, changes, backups and merges.")
    private boolean isOff;

    /** Opens the socket of a store; null if the user wants none. Where there can be none, the user is told, and that is all. */
    @Nullable OwnerSocket open(Shell shell, StorageEngine store, Path place) {
        if (isOff) {
            return null;
        }
        OwnerSocket socket = OwnerSocket.open(store, place);
        String trouble = socket.trouble();
        if (trouble != null) {
            shell.complain("other commands cannot look at this store while it is open, there is no socket: path="
                    + socket.path() + ", " + trouble);
        }
        return socket;
    }
}
