package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.KEYSPACE;
import static dev.caskwright.server.command.Command.KeyUse.READ;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.READONLY;

import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Data;
import dev.caskwright.server.store.Data.Stored;
import java.io.IOException;
import java.util.List;

/** When keys expire. */
final class ExpiryCommands {
    private static final String GROUP = "generic";
    private static final long MILLIS_PER_SECOND = 1000;
    private static final int ABSENT = -2;
    private static final int FOREVER = -1;

    private ExpiryCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(write(
                "EXPIRE", -3, call -> expire(call, true, true), "1.0.0", "Makes a key expire in so many seconds."));
        commands.add(write(
                "PEXPIRE",
                -3,
                call -> expire(call, false, true),
                "2.6.0",
                "Makes a key expire in so many milliseconds."));
        commands.add(
                write("EXPIREAT", -3, call -> expire(call, true, false), "1.2.0", "Makes a key expire at a second."));
        commands.add(write(
                "PEXPIREAT", -3, call -> expire(call, false, false), "2.6.0", "Makes a key expire at a millisecond."));
        commands.add(write("PERSIST", 2, ExpiryCommands::persist, "2.2.0", "Makes a key never expire."));
        commands.add(read("TTL", call -> left(call, true), "1.0.0", "Returns how many seconds are left to a key."));
        commands.add(
                read("PTTL", call -> left(call, false), "2.6.0", "Returns how many milliseconds are left to a key."));
        commands.add(read("EXPIRETIME", call -> moment(call, true), "7.0.0", "Returns at which second a key expires."));
        commands.add(read(
                "PEXPIRETIME", call -> moment(call, false), "7.0.0", "Returns at which millisecond a key expires."));
    }

    private static Command write(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(Flag.WRITE, FAST)
                .in(KEYSPACE)
                .key(Command.KeyUse.WRITE)
                .doc(GROUP, since, summary);
    }

    private static Command read(String name, Command.Handler handler, String since, String summary) {
        return new Command(name, 2, handler)
                .flags(READONLY, FAST)
                .in(KEYSPACE)
                .key(READ)
                .doc(GROUP, since, summary);
    }

    private static void expire(Call call, boolean isSeconds, boolean isFromNow) throws IOException {
        Request request = call.request();
        boolean ifNone = false;
        boolean ifSome = false;
        boolean ifLater = false;
        boolean ifSooner = false;
        for (int i = 3; i < call.count(); i++) {
            if (request.is(i, "NX")) {
                ifNone = true;
            } else if (request.is(i, "XX")) {
                ifSome = true;
            } else if (request.is(i, "GT")) {
                ifLater = true;
            } else if (request.is(i, "LT")) {
                ifSooner = true;
            } else {
                throw new CommandException("ERR Unsupported option " + request.printable(i));
            }
        }
        if (ifNone && (ifSome || ifLater || ifSooner)) {
            throw new CommandException("ERR NX and XX, GT or LT options at the same time are not compatible");
        }
        if (ifLater && ifSooner) {
            throw new CommandException("ERR GT and LT options at the same time are not compatible");
        }
        long moment = call.moment(2, isSeconds, isFromNow);
        byte[] key = call.key(1);
        Stored stored = call.data().entry(key);
        if (stored == null) {
            call.reply().integer(0);
            return;
        }
        long old = stored.expiresAtMillis();
        boolean isForever = old == Data.NEVER;
        boolean holds = (!ifNone || isForever)
                && (!ifSome || !isForever)
                && (!ifLater || (!isForever && moment > old))
                && (!ifSooner || isForever || moment < old);
        if (holds) {
            if (moment <= call.nowMillis()) {
                call.data().delete(key);
            } else {
                call.expire(key, moment);
            }
        }
        call.reply().integer(holds ? 1 : 0);
    }

    private static void persist(Call call) throws IOException {
        byte[] key = call.key(1);
        Stored stored = call.data().entry(key);
        boolean expires = stored != null && stored.expiresAtMillis() != Data.NEVER;
        if (expires) {
            call.data().expire(key, Data.NEVER);
        }
        call.reply().integer(expires ? 1 : 0);
    }

    private static void left(Call call, boolean isSeconds) throws IOException {
        Stored stored = call.data().entry(call.key(1));
        if (stored == null || stored.expiresAtMillis() == Data.NEVER) {
            call.reply().integer(stored == null ? ABSENT : FOREVER);
            return;
        }
        long millis = Math.max(0, stored.expiresAtMillis() - call.nowMillis());
        call.reply().integer(isSeconds ? seconds(millis) : millis);
    }

    private static void moment(Call call, boolean isSeconds) throws IOException {
        Stored stored = call.data().entry(call.key(1));
        if (stored == null || stored.expiresAtMillis() == Data.NEVER) {
            call.reply().integer(stored == null ? ABSENT : FOREVER);
            return;
        }
        call.reply().integer(isSeconds ? seconds(stored.expiresAtMillis()) : stored.expiresAtMillis());
    }

    /** Rounds to the nearest second, as Redis does. */
    private static long seconds(long millis) {
        return millis / MILLIS_PER_SECOND + (millis % MILLIS_PER_SECOND >= 500 ? 1 : 0);
    }
}
