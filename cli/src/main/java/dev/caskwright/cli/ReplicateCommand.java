package dev.caskwright.cli;

import dev.caskwright.api.Retry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.owner.OwnerSocket;
import dev.caskwright.replica.ReadReplica;
import dev.caskwright.replica.ReplicaBuilder;
import dev.caskwright.replica.ReplicaSource;
import dev.caskwright.replica.ReplicaStats;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a replica of a store, or brings it up to date, or has it follow. */
@Command(
        name = "replicate",
        description = {
            "Make a replica of a store, for reads, or bring it up to date: the first time by a backup, and then by the"
                    + " changes since. If another process has the store open, that process is asked.",
            "With --follow, go on until told to end. Meanwhile 'get', 'scan', 'dump', 'stat' and 'top' with --dir DIR,"
                    + " that of the replica, ask it.",
            "If the store cannot give the changes any more, since merges have dropped them or it was put back to a"
                    + " backup, a new copy takes the place of the replica's store when it is whole."
        })
final class ReplicateCommand implements Callable<Integer> {
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1); // until a signal to end is seen

    private final Shell shell;

    @Option(names = "--from", required = true, paramLabel = "DIR", description = "The store to follow.")
    private Path source = Path.of("");

    @Option(
            names = "--from-set",
            paramLabel = "NAME=VALUE",
            description = "An option of the engine for the store to follow, as keys=FILE, if no process has it open.")
    private Map<String, String> sourceOptions = new LinkedHashMap<>();

    @Option(
            names = "--to",
            required = true,
            paramLabel = "DIR",
            description = "The replica's directory: missing, empty, or that of a replica.")
    private Path target = Path.of("");

    @Option(names = "--follow", description = "Go on until told to end, and take changes as they come.")
    private boolean follow;

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            converter = TimeToLive.class,
            description = "How often --follow looks for changes: 1s by default.")
    private Duration interval = Duration.ofSeconds(1);

    @Mixin
    private OwnerSocketOption ownerSocket = new OwnerSocketOption();

    @Mixin
    private JsonOption json = new JsonOption();

    @Mixin
    private BackendOptions backends = new BackendOptions();

    ReplicateCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Directories.refuseOverlap(source, target);
        backends.preferIndex("sorted"); // so that ranges of the replica can be read
        BackendOptions from = BackendOptions.of(BackendOptions.DEFAULT_ENGINE, sourceOptions);
        ReplicaSource at = ReplicaSource.at(source, () -> shell.stores().open(source, from, Access.READ));
        ReplicaBuilder options =
                ReadReplica.builder(target, at).store(copy -> shell.stores().open(copy, backends, Access.WRITE));
        if (follow) {
            backends.mergeInBackground();
            options.follow(interval);
        }
        try (ReadReplica replica = open(options)) {
            if (follow) {
                follow(replica);
            } else {
                replica.catchUp();
                tell(replica);
            }
        }
        return ExitCode.OK;
    }

    private ReadReplica open(ReplicaBuilder options) throws IOException {
        try (Progress progress = shell.progress("copying")) {
            progress.watch(() -> Directories.bytesIn(target.resolve("copy-1")), Directories.bytesIn(source));
            return options.open();
        }
    }

    private void tell(ReadReplica replica) throws IOException {
        ReplicaStats stats = replica.store().stats().group(ReplicaStats.class).orElseThrow();
        if (json.isOn()) {
            json.print(shell, "version", stats.sourceVersion(), "copies", stats.copies(), "changes", stats.changes());
        } else {
            shell.println("replica: up to version " + stats.sourceVersion() + ", copies made: " + stats.copies()
                    + ", changes applied: " + stats.changes());
        }
    }

    @SuppressWarnings("try") // the socket is only held
    private void follow(ReadReplica replica) throws IOException, InterruptedException {
        StorageEngine store = replica.store();
        try (@Nullable OwnerSocket socket = ownerSocket.open(shell, store, target);
                Interruption interruption = new Interruption(() -> {})) {
            shell.println("following: from=" + source + ", to=" + target);
            shell.out().flush();
            long pause = Math.min(interval.toMillis(), LONGEST_WAIT.toMillis());
            boolean wasInTrouble = false;
            while (!interruption.hasCome()) {
                wasInTrouble = tellTrouble(store, wasInTrouble);
                shell.pause().millis(pause);
            }
        }
    }

    /** Says on standard error when the trouble begins and when it is over; returns whether there is some. */
    private boolean tellTrouble(StorageEngine store, boolean wasInTrouble) {
        List<Retry> retries = store.retries();
        if (retries.isEmpty() == wasInTrouble) {
            shell.complain(
                    wasInTrouble
                            ? "the store is followed again: " + source
                            : "the store cannot be followed now, trying again: "
                                    + Failures.describe(retries.get(0).cause()));
        }
        return !retries.isEmpty();
    }
}
