package dev.caskwright.raft;

import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Path;

/** Opens a member's store. */
@FunctionalInterface
interface StoreOpener {
    BitcaskEngine open(Path directory) throws IOException;
}
