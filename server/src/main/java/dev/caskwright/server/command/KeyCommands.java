package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.KEYSPACE;
import static dev.caskwright.server.command.Command.KeyUse.READ;
import static dev.caskwright.server.command.Command.KeyUse.READ_WRITE;
import static dev.caskwright.server.command.Command.KeyUse.WRITE;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.READONLY;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Data.Stored;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** Keys, whatever is under them, and databases. */
final class KeyCommands {
    private static final String GROUP = "generic";

    private KeyCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(
                write("DEL", -2, KeyCommands::delete, "1.0.0", "Removes keys.").keys(1, -1, 1, WRITE));
        commands.add(write("UNLINK", -2, KeyCommands::delete, "4.0.0", "Removes keys.")
                .flags(FAST)
                .keys(1, -1, 1, WRITE));
        commands.add(read("EXISTS", -2, KeyCommands::exists, "1.0.0", "Counts the keys that are there.")
                .keys(1, -1, 1, READ));
        commands.add(read("TOUCH", -2, KeyCommands::exists, "3.2.1", "Counts the keys that are there.")
                .keys(1, -1, 1, READ));
        commands.add(read("TYPE", 2, KeyCommands::type, "1.0.0", "Returns the type of what is under a key."));
        commands.add(write("RENAME", 3, call -> rename(call, false), "1.0.0", "Renames a key.")
                .fromTo(READ_WRITE, WRITE));
        commands.add(
                write("RENAMENX", 3, call -> rename(call, true), "1.0.0", "Renames a key unless the new one is there.")
                        .flags(FAST)
                        .fromTo(READ_WRITE, WRITE));
        commands.add(write("COPY", -3, KeyCommands::copy, "6.2.0", "Copies what is under a key to another.")
                .fromTo(READ, WRITE)
                .reachesOtherDatabasesIf(KeyCommands::copiesToOtherDatabase));
        commands.add(write("MOVE", 3, KeyCommands::move, "1.0.0", "Moves a key to another database.")
                .flags(FAST)
                .key(READ_WRITE)
                .reachesOtherDatabasesIf(request -> true));
        commands.add(new Command("OBJECT", -2, Subcommands::unknown)
                .in(KEYSPACE)
                .doc(GROUP, "2.2.3", "A container for commands about how values are kept.")
                .with(
                        object("ENCODING", KeyCommands::encoding, "Returns how a value is kept."),
                        object("REFCOUNT", call -> replyIfThere(call, 1), "Returns 1."),
                        object(
                                "IDLETIME",
                                call -> replyIfThere(call, 0),
                                "Returns 0: the time of the last use is not kept."),
                        object(
                                "FREQ",
                                KeyCommands::noFrequency,
                                "Is an error: how often a key is used is not counted.")));
        commands.add(new Command("DBSIZE", 1, KeyCommands::size)
                .flags(READONLY)
                .in(KEYSPACE)
                .doc("server", "1.0.0", "Returns how many keys a database has."));
        commands.add(flush("FLUSHDB", false, "Removes all keys of a database."));
        commands.add(flush("FLUSHALL", true, "Removes all keys of all databases."));
        commands.add(new Command("SWAPDB", 3, KeyCommands::swap)
                .flags(Flag.WRITE, FAST)
                .in(KEYSPACE, Category.DANGEROUS)
                .reachesOtherDatabasesIf(request -> true)
                .doc("server", "4.0.0", "Swaps two databases."));
    }

    private static Command read(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(READONLY, FAST)
                .in(KEYSPACE)
                .key(READ)
                .doc(GROUP, since, summary);
    }

    private static Command write(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler).flags(Flag.WRITE).in(KEYSPACE).doc(GROUP, since, summary);
    }

    private static Command object(String name, Command.Handler handler, String summary) {
        return new Command(name, 3, handler).flags(READONLY).keys(2, 2, 1, READ).doc(GROUP, "2.2.3", summary);
    }

    private static Command flush(String name, boolean isAll, String summary) {
        return new Command(name, -1, call -> flush(call, isAll))
                .flags(Flag.WRITE)
                .in(KEYSPACE, Category.DANGEROUS)
                .doc("server", "1.0.0", summary);
    }

    private static void delete(Call call) throws IOException {
        if (call.count() == 2) {
            call.reply().integer(call.data().delete(call.key(1)) ? 1 : 0);
            return;
        }
        int[] deleted = {0};
        call.atomically(() -> {
            for (int i = 1; i < call.count(); i++) {
                deleted[0] += call.data().delete(call.key(i)) ? 1 : 0;
            }
        });
        call.reply().integer(deleted[0]);
    }

    private static void exists(Call call) throws IOException {
        int count = 0;
        for (int i = 1; i < call.count(); i++) {
            boolean isThere = call.data().contains(call.key(i));
            call.host().statistics().looked(isThere);
            count += isThere ? 1 : 0;
        }
        call.reply().integer(count);
    }

    private static void type(Call call) throws IOException {
        call.reply().simple(call.data().contains(call.key(1)) ? "string" : "none");
    }

    private static void rename(Call call, boolean onlyIfAbsent) throws IOException {
        byte[] from = call.key(1);
        byte[] to = call.key(2);
        Stored stored = call.data().entry(from);
        if (stored == null) {
            throw new CommandException("ERR no such key");
        }
        boolean isSame = Arrays.equals(from, to);
        boolean renames = !onlyIfAbsent || (!isSame && !call.data().contains(to));
        if (renames && !isSame) {
            call.atomically(() -> {
                call.put(to, stored.stored(), stored.expiresAtMillis());
                call.data().delete(from);
            });
        }
        if (onlyIfAbsent) {
            call.reply().integer(renames ? 1 : 0);
        } else {
            call.reply().ok();
        }
    }

    private static void copy(Call call) throws IOException {
        Request request = call.request();
        int database = call.session().database();
        boolean replaces = false;
        for (int i = 3; i < call.count(); i++) {
            if (request.is(i, "REPLACE")) {
                replaces = true;
            } else if (request.is(i, "DB") && i + 1 < call.count()) {
                database = call.database(++i);
            } else {
                throw CommandException.syntax();
            }
        }
        byte[] from = call.key(1);
        byte[] to = call.key(2, database);
        if (Arrays.equals(from, to)) {
            throw new CommandException("ERR source and destination objects are the same");
        }
        Stored stored = call.data().entry(from);
        boolean copies = stored != null && (replaces || !call.data().contains(to));
        if (stored != null && copies) {
            call.put(database, to, stored.stored(), stored.expiresAtMillis());
        }
        call.reply().integer(copies ? 1 : 0);
    }

    private static boolean copiesToOtherDatabase(Request request) {
        for (int i = 3; i + 1 < request.count(); i++) {
            if (request.is(i, "DB") && isOtherDatabase(request, i + 1)) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether an argument is the number of another database than the first. */
    static boolean isOtherDatabase(Request request, int i) {
        return request.isInteger(i) && request.integer(i) != 0;
    }

    private static void move(Call call) throws IOException {
        int database = call.database(2);
        if (database == call.session().database()) {
            throw new CommandException("ERR source and destination objects are the same");
        }
        byte[] from = call.key(1);
        byte[] to = call.key(1, database);
        Stored stored = call.data().entry(from);
        boolean moves = stored != null && !call.data().contains(to);
        if (stored != null && moves) {
            call.atomically(() -> {
                call.put(database, to, stored.stored(), stored.expiresAtMillis());
                call.data().delete(from);
            });
        }
        call.reply().integer(moves ? 1 : 0);
    }

    private static void replyIfThere(Call call, int value) throws IOException {
        if (call.data().contains(call.key(2))) {
            call.reply().integer(value);
        } else {
            call.reply().nil();
        }
    }

    private static void encoding(Call call) throws IOException {
        if (call.data().contains(call.key(2))) {
            call.reply().bulk("raw");
        } else {
            call.reply().nil();
        }
    }

    private static void noFrequency(Call call) {
        throw new CommandException("ERR An LFU maxmemory policy is not selected, access frequency not tracked.");
    }

    private static void size(Call call) throws IOException {
        long size = call.keyspace().quickSize(call.session().database());
        call.keyspace().gate().readEverything();
        if (size >= 0) {
            call.reply().integer(size);
            return;
        }
        List<Keyspace.Part> parts = call.parts();
        call.defer(reply -> {
            long[] count = {0};
            for (Keyspace.Part part : parts) {
                part.visit(new byte[0], (key, stored) -> {
                    count[0]++;
                    return true;
                });
            }
            reply.integer(count[0]);
        });
    }

    private static void flush(Call call, boolean isAll) throws IOException {
        Request request = call.request();
        if (call.count() > 2 || (call.count() == 2 && !request.is(1, "ASYNC") && !request.is(1, "SYNC"))) {
            throw CommandException.syntax();
        }
        Replication group = call.host().replication();
        if (group != null && group.topology() != null) {
            call.ask(group.clear().thenApply(nothing -> 0), (nothing, reply) -> reply.ok());
            return;
        }
        call.keyspace().clear(isAll ? -1 : call.session().database());
        call.host().clean();
        call.reply().ok();
    }

    private static void swap(Call call) throws IOException {
        int one = call.database(1);
        int other = call.database(2);
        if (one != other) {
            call.keyspace().swap(one, other);
        }
        call.reply().ok();
    }
}
