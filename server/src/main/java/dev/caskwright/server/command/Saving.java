package dev.caskwright.server.command;

import dev.caskwright.api.Backups;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SAVE and BGSAVE: what they mean in Redis, a copy to keep elsewhere, is a backup here. The store itself needs neither. Safe for
 * any number of threads.
 */
final class Saving {
    private static final Logger LOG = LoggerFactory.getLogger(Backups.class);
    private static final long MILLIS_PER_SECOND = 1000;

    private final Keyspace keyspace;
    private final ServerConfig config;
    private final Executor workers;
    private boolean isUnderWay;
    private boolean hasFailed;
    private long lastSeconds;

    Saving(Keyspace keyspace, ServerConfig config, Executor workers) {
        this.keyspace = keyspace;
        this.config = config;
        this.workers = workers;
        lastSeconds = keyspace.nowMillis() / MILLIS_PER_SECOND;
    }

    synchronized long lastSeconds() {
        return lastSeconds;
    }

    synchronized boolean isUnderWay() {
        return isUnderWay;
    }

    synchronized boolean hasFailed() {
        return hasFailed;
    }

    private Path target() {
        String directory = config.text("backup-dir");
        if (directory.isEmpty()) {
            throw new CommandException("ERR set backup-dir in the configuration to the directory that backups go to");
        }
        return Path.of(directory);
    }

    private synchronized void begin() {
        if (isUnderWay) {
            throw new CommandException("ERR Background save already in progress");
        }
        isUnderWay = true;
    }

    private synchronized void ended(boolean isGood) {
        isUnderWay = false;
        hasFailed = !isGood;
        if (isGood) {
            lastSeconds = keyspace.nowMillis() / MILLIS_PER_SECOND;
        }
    }

    /** Makes a backup in the worker that runs this. */
    void save(Reply reply) throws IOException {
        Path target = target();
        begin();
        boolean isGood = false;
        try {
            keyspace.engine().require(Backups.class).backup(target);
            isGood = true;
        } finally {
            ended(isGood);
        }
        reply.ok();
    }

    /** Has a worker make a backup. */
    void saveInBackground(Reply reply) {
        Path target = target();
        begin();
        try {
            workers.execute(() -> {
                boolean isGood = false;
                try {
                    keyspace.engine().require(Backups.class).backup(target);
                    isGood = true;
                } catch (IOException | RuntimeException e) {
                    LOG.error("a backup failed", e);
                } finally {
                    ended(isGood);
                }
            });
        } catch (RejectedExecutionException e) {
            ended(false);
            throw new CommandException("BUSY too many slow commands wait; try again later");
        }
        reply.simple("Background saving started");
    }
}
