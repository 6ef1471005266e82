package dev.caskwright.moss;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.ConditionalWritesContract;
import dev.caskwright.testkit.MergingContract;
import dev.caskwright.testkit.OrderedViewContract;
import dev.caskwright.testkit.StorageEngineContract;
import dev.caskwright.testkit.TransactionsContract;
import dev.caskwright.testkit.VersionsContract;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** The shared contract of engines, for the engine with files of its own. */
final class MossEngineTest extends StorageEngineContract
        implements ConditionalWritesContract,
                VersionsContract,
                TransactionsContract,
                OrderedViewContract,
                MergingContract {
    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return MossEngine.builder(directory)
                .clock(clock)
                .tableBytes(4 << 10)
                .persistBytes(16 << 10)
                .open();
    }
}
