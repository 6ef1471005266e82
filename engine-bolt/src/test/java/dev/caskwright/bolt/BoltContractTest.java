package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.BackupsContract;
import dev.caskwright.testkit.ConditionalWritesContract;
import dev.caskwright.testkit.OrderedViewContract;
import dev.caskwright.testkit.StorageEngineContract;
import dev.caskwright.testkit.TransactionsContract;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;

/** The engine as the toolkit's contracts want it. Small pages, so that there are many; not forced, as there are many commits. */
final class BoltContractTest extends StorageEngineContract
        implements ConditionalWritesContract, TransactionsContract, OrderedViewContract, BackupsContract {
    @Override
    public StorageEngine open(Path file, InstantSource clock) throws IOException {
        BoltDatabase database =
                BoltDatabase.builder(file).pageSize(1024).forcesCommits(false).open();
        return BoltEngine.over(database, List.of("bucket".getBytes(UTF_8)), true);
    }
}
