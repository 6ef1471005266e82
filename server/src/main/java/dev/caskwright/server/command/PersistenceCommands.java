package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.CONNECTION;
import static dev.caskwright.server.command.Flag.ADMIN;
import static dev.caskwright.server.command.Flag.BLOCKING;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.NO_MULTI;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.replication.Replication;
import java.io.IOException;
import java.util.List;

/** Durability on demand, backups, and the end. */
final class PersistenceCommands {
    private static final String GROUP = "server";

    private PersistenceCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("SAVE", 1, call -> call.defer(call.host().saving()::save))
                .flags(ADMIN, NOSCRIPT, NO_MULTI)
                .doc(GROUP, "1.0.0", "Makes a backup in backup-dir."));
        commands.add(new Command("BGSAVE", -1, PersistenceCommands::backgroundSave)
                .flags(ADMIN, NOSCRIPT)
                .doc(GROUP, "1.0.0", "Begins a backup in backup-dir."));
        commands.add(new Command(
                        "LASTSAVE",
                        1,
                        call -> call.reply().integer(call.host().saving().lastSeconds()))
                .flags(FAST, LOADING, STALE)
                .in(Category.ADMIN, Category.DANGEROUS)
                .doc(GROUP, "1.0.0", "Returns when the last backup was made."));
        commands.add(new Command("WAIT", 3, PersistenceCommands::awaitReplicas)
                .flags(BLOCKING)
                .in(CONNECTION)
                .doc("generic", "3.0.0", "Returns at once how many replicas have the changes: 0 if there are none."));
        commands.add(new Command("WAITAOF", 4, PersistenceCommands::awaitForce)
                .flags(BLOCKING)
                .in(CONNECTION)
                .doc("generic", "7.2.0", "Forces all changes so far, and waits until they survive a power loss."));
        commands.add(new Command("SHUTDOWN", -1, PersistenceCommands::shutdown)
                .flags(ADMIN, NOSCRIPT, LOADING, STALE, NO_MULTI)
                .doc(GROUP, "1.0.0", "Forces all changes and ends the server."));
    }

    private static void backgroundSave(Call call) {
        if (call.count() > 2 || (call.count() == 2 && !call.request().is(1, "SCHEDULE"))) {
            throw CommandException.syntax();
        }
        call.host().saving().saveInBackground(call.reply());
    }

    private static void awaitReplicas(Call call) {
        long wanted = call.integer(1, 0, Integer.MAX_VALUE, "ERR value is out of range, must be positive");
        long timeout = call.integer(2, 0, Long.MAX_VALUE, "ERR timeout is negative");
        Replication group = call.host().replication();
        if (group == null) {
            call.reply().integer(0);
        } else {
            call.ask(group.copies((int) wanted, timeout), (copies, reply) -> reply.integer(copies));
        }
    }

    private static void awaitForce(Call call) throws IOException {
        call.integer(1, 0, 1, "ERR value is out of range, must be between 0 and 1");
        long wanted = call.integer(2, 0, Integer.MAX_VALUE, "ERR value is out of range, must be positive");
        long timeout = call.integer(3, 0, Long.MAX_VALUE, "ERR timeout is negative");
        Replication group = call.host().replication();
        if (group != null && group.topology() != null) {
            throw new CommandException(
                    "ERR WAITAOF is not offered where each node has a part of the keys, since nodes do not ask each"
                            + " other for forces; cache-sync-writes has each write forced by all owners");
        }
        if (group != null) {
            // Before it answers, this member has forced and applied all that was acknowledged.
            call.ask(group.copies((int) wanted, timeout), (copies, reply) -> {
                reply.array(2);
                reply.integer(1);
                reply.integer(copies);
            });
            return;
        }
        if (call.isInTransaction() || call.request().integer(1) == 0) {
            // Nothing waits within a transaction, whose changes are not even written.
            boolean isDurable =
                    call.keyspace().gate().durable() >= call.keyspace().gate().lastChange();
            call.reply().array(2);
            call.reply().integer(isDurable && !call.isInTransaction() ? 1 : 0);
            call.reply().integer(0);
            return;
        }
        call.awaitForce(timeout);
    }

    private static void shutdown(Call call) {
        for (int i = 1; i < call.count(); i++) {
            if (call.request().is(i, "ABORT")) {
                throw new CommandException("ERR No shutdown in progress.");
            }
            if (!call.request().is(i, "NOSAVE")
                    && !call.request().is(i, "SAVE")
                    && !call.request().is(i, "NOW")
                    && !call.request().is(i, "FORCE")) {
                throw CommandException.syntax();
            }
        }
        // No reply: the client sees the connection close.
        call.close();
        call.host().control().shutdown();
    }
}
