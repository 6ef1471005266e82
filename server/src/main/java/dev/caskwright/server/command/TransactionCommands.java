package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.TRANSACTION;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.NO_MULTI;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.store.Bytes;
import dev.caskwright.server.store.Changes;
import dev.caskwright.server.store.Watch;
import java.io.IOException;
import java.util.List;

/** Transactions: commands that run together, on disk as well, if no watched key has changed. */
final class TransactionCommands {
    private static final String GROUP = "transactions";

    private TransactionCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(command("MULTI", 1, TransactionCommands::multi, "1.2.0", "Begins a transaction."));
        commands.add(new Command("EXEC", 1, TransactionCommands::exec)
                .flags(NOSCRIPT, LOADING, STALE, Flag.SKIP_SLOWLOG)
                .in(TRANSACTION)
                .doc(GROUP, "1.2.0", "Runs the commands of a transaction: all of their changes are made, or none."));
        commands.add(command("DISCARD", 1, TransactionCommands::discard, "2.0.0", "Forgets a transaction."));
        commands.add(command("WATCH", -2, TransactionCommands::watch, "2.2.0", "Makes a transaction depend on keys.")
                .flags(NO_MULTI)
                .keys(1, -1, 1, Command.KeyUse.READ));
        commands.add(command("UNWATCH", 1, TransactionCommands::unwatch, "2.2.0", "Ends the watch of all keys."));
    }

    private static Command command(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(FAST, NOSCRIPT, LOADING, STALE)
                .in(TRANSACTION)
                .doc(GROUP, since, summary);
    }

    private static void multi(Call call) {
        if (call.session().queue() != null) {
            throw new CommandException("ERR MULTI calls can not be nested");
        }
        call.session().beginQueue();
        call.reply().ok();
    }

    private static void discard(Call call) {
        if (call.session().queue() == null) {
            throw new CommandException("ERR DISCARD without MULTI");
        }
        call.session().endQueue();
        call.session().unwatchAll(call.keyspace().changes());
        call.reply().ok();
    }

    private static void watch(Call call) throws IOException {
        Session session = call.session();
        Changes changes = call.keyspace().changes();
        if (session.queue() != null) {
            throw new CommandException("ERR WATCH inside MULTI is not allowed");
        }
        for (int i = 1; i < call.count(); i++) {
            Bytes key = new Bytes(call.key(i));
            if (!changes.isWatched(key, session)
                    && !session.watch(key, call.data().contains(key.array()), changes)) {
                throw CommandException.noMemory();
            }
        }
        call.reply().ok();
    }

    private static void unwatch(Call call) {
        call.session().unwatchAll(call.keyspace().changes());
        call.reply().ok();
    }

    private static void exec(Call call) throws IOException {
        Session session = call.session();
        List<Session.Queued> queue = session.queue();
        if (queue == null) {
            throw new CommandException("ERR EXEC without MULTI");
        }
        boolean isSpoiled = session.isQueueSpoiled();
        boolean hasChanged;
        try {
            hasChanged = hasChanged(call);
        } finally {
            // The transaction is over even if the watched keys cannot be read, or the client would go on to be told
            // QUEUED.
            session.endQueue();
            session.unwatchAll(call.keyspace().changes());
        }
        if (isSpoiled) {
            throw new CommandException("EXECABORT Transaction discarded because of previous errors.");
        }
        if (hasChanged) {
            call.reply().nilArray();
            return;
        }
        run(call, queue);
    }

    private static boolean hasChanged(Call call) throws IOException {
        for (Watch watch : call.session().watches()) {
            // A key that expired has changed, though nobody wrote it.
            if (watch.hasChanged()
                    || watch.wasThere() && !call.data().contains(watch.key().array())) {
                return true;
            }
        }
        return false;
    }

    static void run(Call call, List<Session.Queued> queue) throws IOException {
        long mark = call.reply().written();
        boolean isWritten = false;
        int database = call.session().database();
        call.keyspace().begin();
        try {
            call.reply().array(queue.size());
            Dispatcher.runQueued(call, queue);
            call.keyspace().commit();
            isWritten = true;
        } finally {
            if (!isWritten) {
                call.keyspace().discard();
                call.reply().truncate(mark);
                call.session().database(database);
            }
        }
    }
}
