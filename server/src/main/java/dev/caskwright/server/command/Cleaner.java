package dev.caskwright.server.command;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes, in a worker, the keys of databases that were emptied. What it fails at, it does the next time, or after a restart. */
public final class Cleaner {
    private static final Logger LOG = LoggerFactory.getLogger(Cleaner.class);

    /** How many keys of emptied databases one entry removes, and of how many bytes. */
    private static final int CLEANED = 1_000;

    private static final int CLEANED_BYTES = 256 << 10;

    private final Keyspace keyspace;
    private final Executor workers;
    private final @Nullable Replication replication;

    /** How often it was asked since it last had nothing to do. */
    private final AtomicInteger asked = new AtomicInteger();

    Cleaner(Keyspace keyspace, Executor workers, @Nullable Replication replication) {
        this.replication = replication;
        this.keyspace = keyspace;
        this.workers = workers;
    }

    /** Begins to clean, unless it does. */
    public void run() {
        if (asked.getAndIncrement() == 0) {
            try {
                workers.execute(this::clean);
            } catch (RejectedExecutionException e) {
                asked.set(0);
                LOG.info("too much work for the workers: what is left of emptied databases is removed later");
            }
        }
    }

    /** Has all members remove the same, a part at a time: that of this member's store which it comes to first. */
    private void cleanGroup(Replication group) throws IOException {
        try {
            while (true) {
                group.barrier().join();
                Keyspace.Leftovers next = keyspace.leftovers(CLEANED, CLEANED_BYTES);
                if (next == null) {
                    return;
                }
                group.propose(Proposal.cleaning(next)).join();
            }
        } catch (CompletionException e) {
            throw new IOException("the group did not clean", GroupErrors.cause(e));
        }
    }

    private void clean() {
        int before;
        do {
            before = asked.get();
            try {
                if (replication == null) {
                    keyspace.removeLeftovers();
                } else {
                    cleanGroup(replication);
                }
            } catch (IOException | RuntimeException e) {
                LOG.warn("what is left of emptied databases could not be removed, and is tried again later", e);
                asked.set(0);
                return;
            }
        } while (!asked.compareAndSet(before, 0));
    }
}
