package dev.caskwright.cli;

import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.owner.AskedStore;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the writes of a store in the order of their commit. */
@Command(
        name = "watch",
        description = {
            "Print the puts and deletes of a store as JSON Lines, in the order of their commit: {\"version\":7,"
                    + "\"op\":\"put\",\"key\":\"...\",\"value\":\"...\",\"last\":true}. Of the changes of one batch,"
                    + " all but the last have \"last\":false.",
            "If another process has the store open, that process is asked. With --follow, watch asks it again and again;"
                    + " of a store that nobody has open, it looks at the files, and opens the store for a moment"
                    + " whenever they have changed.",
            "A merge drops old changes. If the first ones asked for are gone, the exit code is 3: take a dump or a"
                    + " backup, and continue from the \"lastVersion\" that stat prints."
        })
final class WatchCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Option(
            names = "--from",
            paramLabel = "VERSION",
            description = "Print changes after this version; 0, the default, is all.")
    private long from;

    @Option(names = "--follow", description = "Go on until killed, or until the reader of the output is gone.")
    private boolean follow;

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "How often --follow asks or looks: 1s by default.")
    private Duration interval = Duration.ofSeconds(1);

    @Option(names = "--limit", paramLabel = "N", description = "End after this many changes.")
    private long limit = Long.MAX_VALUE;

    WatchCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (from < 0 || limit < 0) {
            throw new UsageException("--from and --limit must not be negative");
        }
        Feed feed = new Feed(from, limit);
        if (!follow) {
            print(feed);
            return ExitCode.OK;
        }
        String seen = null;
        while (feed.left > 0) {
            seen = look(feed, seen);
            if (feed.left > 0) {
                shell.pause().millis(interval.toMillis());
            }
        }
        return ExitCode.OK;
    }

    /** Prints what is new if the files have changed since {@code seen}; returns what was seen now. */
    private @Nullable String look(Feed feed, @Nullable String seen) throws IOException {
        // Taken before the store is opened: a write that comes after it shows at the next look.
        String now = Directories.fingerprint(place.path());
        if (now.equals(seen)) {
            return seen;
        }
        try {
            return print(feed) ? null : now;
        } catch (EngineLockedException e) {
            // Its owner is at work and has no socket; the same changes are still there at the next look.
            return seen;
        } catch (EngineException e) {
            if (e.code() == ErrorCode.UNAVAILABLE) {
                return seen; // its owner has gone, or has no time now
            }
            throw e;
        }
    }

    /** Prints what is new; returns whether that was asked of an owner, whose writes need not show in the files. */
    private boolean print(Feed feed) throws IOException {
        if (feed.left == 0) {
            return false;
        }
        boolean isAsked;
        try (StorageEngine store = place.open(shell, Access.READ);
                JsonLineWriter writer = new JsonLineWriter(shell.out(), text.encoding())) {
            isAsked = store instanceof AskedStore;
            store.require(ChangeFeed.class).changes(feed.version, change -> {
                writer.change(change);
                feed.version = change.version();
                return --feed.left > 0;
            });
        }
        shell.out().flush();
        return isAsked;
    }

    /** How far the printing has come. */
    private static final class Feed {
        private long version;
        private long left;

        Feed(long version, long left) {
            this.version = version;
            this.left = left;
        }
    }
}
