package dev.caskwright.cli;

import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Gives an entry another expiry. */
@Command(
        name = "expire",
        description =
                "Let an entry expire after a time, at a moment, or never; its value stays. Exit code 1 if there is no such"
                        + " key. Give one of --ttl, --at and --never.")
final class ExpireCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Option(
            names = "--ttl",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "Expire after this time, such as 30s or 7d.")
    private @Nullable Duration timeToLive;

    @Option(
            names = "--at",
            paramLabel = "MOMENT",
            description = "Expire at this moment: 2027-01-31T12:00:00Z, or milliseconds since 1970.")
    private @Nullable String moment;

    @Option(names = "--never", description = "Do not expire.")
    private boolean never;

    @Parameters(paramLabel = "KEY", description = "The key.")
    private String key = "";

    ExpireCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        byte[] keyBytes = text.encoding().keyArgument(key);
        WriteOptions options = options();
        try (StorageEngine store = place.open(shell, Access.WRITE)) {
            if (!store.require(Expiry.class).expire(keyBytes, options)) {
                shell.complain("no such key");
                return ExitCode.NOT_FOUND_OR_DAMAGE;
            }
        }
        return ExitCode.OK;
    }

    private WriteOptions options() {
        int given = (timeToLive == null ? 0 : 1) + (moment == null ? 0 : 1) + (never ? 1 : 0);
        if (given != 1) {
            throw new UsageException("give one of --ttl, --at and --never");
        }
        if (timeToLive != null) {
            return WriteOptions.DEFAULT.timeToLive(timeToLive);
        }
        return moment == null ? WriteOptions.DEFAULT : WriteOptions.DEFAULT.expiresAt(instant(moment));
    }

    private static Instant instant(String text) {
        try {
            Instant instant =
                    text.matches("[0-9]{1,18}") ? Instant.ofEpochMilli(Long.parseLong(text)) : Instant.parse(text);
            if (instant.toEpochMilli() > 0) {
                return instant;
            }
        } catch (DateTimeParseException | ArithmeticException e) {
            throw new UsageException(notAMoment(text));
        }
        throw new UsageException(notAMoment(text));
    }

    private static String notAMoment(String text) {
        return "'" + text
                + "' is not a moment after 1970: write it as 2027-01-31T12:00:00Z, or as milliseconds since 1970";
    }
}
