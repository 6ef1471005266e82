package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.STRING;
import static dev.caskwright.server.command.Command.KeyUse.READ;
import static dev.caskwright.server.command.Command.KeyUse.READ_WRITE;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.READONLY;
import static dev.caskwright.server.command.Flag.WRITE;

import dev.caskwright.api.ReadView;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Ahead;
import dev.caskwright.server.store.Data;
import dev.caskwright.server.store.Data.Stored;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Strings: whole values, and parts of them. */
final class StringCommands {
    private static final String GROUP = "string";

    private StringCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(read("GET", 2, StringCommands::get, "1.0.0", "Returns the string value of a key.")
                .flags(FAST));
        commands.add(read("STRLEN", 2, StringCommands::length, "2.2.0", "Returns the length of a string value.")
                .flags(FAST));
        commands.add(read("GETRANGE", 4, StringCommands::getRange, "2.4.0", "Returns a part of a string."));
        commands.add(read("SUBSTR", 4, StringCommands::getRange, "1.0.0", "Returns a part of a string."));
        commands.add(read("DIGEST", 2, Digest::run, "8.4.0", "Returns a hash of a string value: XXH3, in hexadecimal.")
                .flags(FAST));
        commands.add(read("LCS", -3, LcsCommand::run, "7.0.0", "Returns the longest common subsequence of two strings.")
                .keys(1, 2, 1, READ));
        commands.add(read("MGET", -2, StringCommands::multiGet, "1.0.0", "Returns the string values of several keys.")
                .flags(FAST)
                .keys(1, -1, 1, READ));
        commands.add(
                write("SET", -3, SetCommand::run, "1.0.0", "Sets a string, with conditions and expiry if asked for.")
                        .key(Command.KeyUse.WRITE)
                        .readsIf(SetCommand::reads));
        commands.add(write("SETNX", 3, StringCommands::setIfAbsent, "1.0.0", "Sets a string if the key is absent.")
                .flags(FAST)
                .key(Command.KeyUse.WRITE));
        commands.add(write("SETEX", 4, call -> setWithExpiry(call, true), "2.0.0", "Sets a string that expires.")
                .key(Command.KeyUse.WRITE));
        commands.add(write("PSETEX", 4, call -> setWithExpiry(call, false), "2.6.0", "Sets a string that expires.")
                .key(Command.KeyUse.WRITE));
        commands.add(write("GETSET", 3, StringCommands::getSet, "1.0.0", "Sets a string and returns the old one.")
                .flags(FAST));
        commands.add(write("GETDEL", 2, StringCommands::getDelete, "6.2.0", "Returns a string and removes the key.")
                .flags(FAST));
        commands.add(write("GETEX", -2, StringCommands::getExpire, "6.2.0", "Returns a string and changes its expiry.")
                .flags(FAST));
        commands.add(write("MSET", -3, StringCommands::multiSet, "1.0.1", "Sets several strings at once.")
                .keys(1, -1, 2, Command.KeyUse.WRITE));
        commands.add(write(
                        "MSETNX",
                        -3,
                        StringCommands::multiSetIfAbsent,
                        "1.0.1",
                        "Sets several strings if no key is there.")
                .keys(1, -1, 2, Command.KeyUse.WRITE));
        commands.add(write(
                        "MSETEX",
                        -4,
                        MultiSetCommand::run,
                        "8.4.0",
                        "Sets several strings at once, with conditions and expiry if asked for.")
                .countedKeys(MultiSetCommand.COUNT_AT, MultiSetCommand.FIRST_KEY, 2, Command.KeyUse.WRITE));
        commands.add(write("APPEND", 3, StringCommands::append, "2.0.0", "Appends to a string.")
                .flags(FAST)
                .key(Command.KeyUse.WRITE));
        commands.add(write("SETRANGE", 4, StringCommands::setRange, "2.2.0", "Overwrites a part of a string.")
                .key(Command.KeyUse.WRITE));
        commands.add(write(
                        "DELIFEQ",
                        3,
                        StringCommands::deleteIfEqual,
                        "9.0.0",
                        "Removes a key if its value is the given one.")
                .flags(FAST));
        commands.add(
                write("DELEX", -2, StringCommands::deleteConditionally, "8.4.0", "Removes a key if a condition holds.")
                        .flags(FAST));
    }

    private static Command read(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(READONLY)
                .in(STRING)
                .key(READ)
                .doc(GROUP, since, summary);
    }

    private static Command write(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(WRITE)
                .in(STRING)
                .key(READ_WRITE)
                .doc(GROUP, since, summary);
    }

    private static void get(Call call) throws IOException {
        boolean isThere = copyValue(call, 1, false);
        call.host().statistics().looked(isThere);
    }

    /** Copies the value of a key that is an argument from the store to the reply, without another copy if it is short. */
    private static boolean copyValue(Call call, int i, boolean isNilIfOfOtherType) throws IOException {
        Reply reply = call.reply();
        Keyspace keyspace = call.keyspace();
        if (!keyspace.isCollecting()
                && keyspace.ahead().isNext(keyspace.slot(call.session().database()), call.request(), i)) {
            return replyOrNil(call, keyspace.ahead().take(), isNilIfOfOtherType);
        }
        byte[] key = call.key(i);
        ByteBuffer target = reply.valueTarget();
        int room = target.remaining();
        int length = call.data().get(key, target);
        if (length == ReadView.ABSENT) {
            reply.nil();
            return false;
        }
        if (length <= room) {
            if (reply.flagOfValue() == Keyspace.STRING) {
                reply.valueWritten(length);
                return true;
            }
        } else {
            return replyOrNil(call, call.data().get(key), isNilIfOfOtherType);
        }
        if (!isNilIfOfOtherType) {
            throw CommandException.wrongType();
        }
        reply.nil();
        return true;
    }

    private static boolean replyOrNil(Call call, byte @Nullable [] stored, boolean isNilIfOfOtherType) {
        boolean isOfOtherType = stored != null && stored[0] != Keyspace.STRING;
        if (isOfOtherType && !isNilIfOfOtherType) {
            throw CommandException.wrongType();
        }
        call.replyStored(isOfOtherType ? null : stored);
        return stored != null;
    }

    private static void multiGet(Call call) throws IOException {
        call.reply().array(call.count() - 1L);
        boolean readsAhead = call.count() > 2 && call.keyspace().mayReadAhead();
        try {
            for (int i = 1; i < call.count(); i++) {
                if (readsAhead && i % Ahead.MOST_KEYS == 1) {
                    readAhead(call, i, Math.min(call.count(), i + Ahead.MOST_KEYS));
                }
                call.host().statistics().looked(copyValue(call, i, true));
            }
        } finally {
            call.keyspace().ahead().forget();
        }
    }

    private static void readAhead(Call call, int from, int to) {
        byte[][] keys = new byte[to - from][];
        for (int i = from; i < to; i++) {
            keys[i - from] = call.key(i);
        }
        call.keyspace().ahead().read(keys);
    }

    private static void length(Call call) throws IOException {
        byte[] stored = call.stringAt(call.key(1));
        call.reply().integer(stored == null ? 0 : stored.length - 1);
    }

    private static void getRange(Call call) throws IOException {
        long start = call.integer(2);
        long end = call.integer(3);
        byte[] stored = call.stringAt(call.key(1));
        call.reply().bulk(stored == null ? new byte[0] : Call.range(stored, start, end));
    }

    private static void setIfAbsent(Call call) throws IOException {
        byte[] key = call.key(1);
        boolean isAbsent = !call.data().contains(key);
        if (isAbsent) {
            call.put(key, call.string(2), Data.NEVER);
        }
        call.reply().integer(isAbsent ? 1 : 0);
    }

    private static void setWithExpiry(Call call, boolean isSeconds) throws IOException {
        if (call.integer(2) <= 0) {
            throw CommandException.invalidExpireTime(call);
        }
        call.put(call.key(1), call.string(3), call.moment(2, isSeconds, true));
        call.reply().ok();
    }

    private static void getSet(Call call) throws IOException {
        byte[] key = call.key(1);
        byte[] old = call.stringAt(key);
        call.put(key, call.string(2), Data.NEVER);
        call.replyStored(old);
    }

    private static void getDelete(Call call) throws IOException {
        byte[] key = call.key(1);
        byte[] old = call.stringAt(key);
        if (old != null) {
            call.data().delete(key);
        }
        call.replyStored(old);
    }

    private static void getExpire(Call call) throws IOException {
        Request request = call.request();
        boolean persists = false;
        int momentAt = -1;
        boolean isSeconds = false;
        boolean isFromNow = false;
        if (call.count() == 3 && request.is(2, "PERSIST")) {
            persists = true;
        } else if (call.count() == 4) {
            isFromNow = request.is(2, "EX") || request.is(2, "PX");
            isSeconds = request.is(2, "EX") || request.is(2, "EXAT");
            if (!isFromNow && !isSeconds && !request.is(2, "PXAT")) {
                throw CommandException.syntax();
            }
            momentAt = 3;
        } else if (call.count() != 2) {
            throw CommandException.syntax();
        }
        byte[] key = call.key(1);
        Stored stored = call.stringEntry(key);
        // As in Redis, the time is looked at only if there is a key.
        if (stored != null) {
            if (momentAt > 0 && call.integer(momentAt) <= 0) {
                throw CommandException.invalidExpireTime(call);
            }
            long moment = momentAt > 0 ? call.moment(momentAt, isSeconds, isFromNow) : Data.NEVER;
            if (momentAt > 0 && moment <= call.nowMillis()) {
                call.data().delete(key);
            } else if (momentAt > 0 || (persists && stored.expiresAtMillis() != Data.NEVER)) {
                call.expire(key, moment);
            }
        }
        call.host().statistics().looked(stored != null);
        call.replyStored(stored == null ? null : stored.stored());
    }

    private static void checkPairs(Call call) {
        if (call.count() % 2 == 0) {
            throw new CommandException(
                    "ERR wrong number of arguments for '" + call.command().fullName() + "' command");
        }
    }

    private static void multiSet(Call call) throws IOException {
        checkPairs(call);
        call.atomically(() -> putPairs(call));
        call.reply().ok();
    }

    private static void multiSetIfAbsent(Call call) throws IOException {
        checkPairs(call);
        for (int i = 1; i < call.count(); i += 2) {
            if (call.data().contains(call.key(i))) {
                call.reply().integer(0);
                return;
            }
        }
        call.atomically(() -> putPairs(call));
        call.reply().integer(1);
    }

    private static void putPairs(Call call) throws IOException {
        for (int i = 1; i < call.count(); i += 2) {
            call.put(call.key(i), call.string(i + 1), Data.NEVER);
        }
    }

    private static void append(Call call) throws IOException {
        byte[] key = call.key(1);
        Stored old = call.stringEntry(key);
        if (old == null) {
            call.put(key, call.string(2), Data.NEVER);
            call.reply().integer(call.request().length(2));
            return;
        }
        int added = call.request().length(2);
        call.checkLength((long) old.length() + added);
        if (added > 0) {
            byte[] stored = Arrays.copyOf(old.stored(), old.stored().length + added);
            call.request().copyTo(2, stored, old.stored().length);
            call.put(key, stored, old.expiresAtMillis());
        }
        call.reply().integer((long) old.length() + added);
    }

    private static void setRange(Call call) throws IOException {
        long offset = call.integer(2);
        if (offset < 0) {
            throw new CommandException("ERR offset is out of range");
        }
        byte[] key = call.key(1);
        Stored old = call.stringEntry(key);
        int added = call.request().length(3);
        int oldLength = old == null ? 0 : old.length();
        if (added == 0) {
            call.reply().integer(oldLength);
            return;
        }
        if (offset > Integer.MAX_VALUE) {
            throw new CommandException("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        }
        call.checkLength(offset + added);
        int length = (int) Math.max(oldLength, offset + added);
        byte[] stored = old == null ? new byte[length + 1] : Arrays.copyOf(old.stored(), length + 1);
        call.request().copyTo(3, stored, (int) offset + 1);
        call.put(key, stored, old == null ? Data.NEVER : old.expiresAtMillis());
        call.reply().integer(length);
    }

    private static void deleteIfEqual(Call call) throws IOException {
        byte[] key = call.key(1);
        byte[] stored = call.stringAt(key);
        boolean isEqual = equals(stored, call.request(), 2);
        call.reply().integer(isEqual && call.data().delete(key) ? 1 : 0);
    }

    private static void deleteConditionally(Call call) throws IOException {
        byte[] key = call.key(1);
        if (call.count() == 2) {
            call.reply().integer(call.data().delete(key) ? 1 : 0);
            return;
        }
        Request request = call.request();
        boolean comparesDigests = request.is(2, "IFDEQ") || request.is(2, "IFDNE");
        boolean wantsEqual = request.is(2, "IFEQ") || request.is(2, "IFDEQ");
        if (call.count() != 4 || (!wantsEqual && !comparesDigests && !request.is(2, "IFNE"))) {
            throw CommandException.syntax();
        }
        long digest = comparesDigests ? Digest.parse(request, 3) : 0;
        byte[] stored = call.stringAt(key);
        boolean holds = stored != null
                && (comparesDigests ? Digest.of(stored) == digest : equals(stored, request, 3)) == wantsEqual;
        call.reply().integer(holds && call.data().delete(key) ? 1 : 0);
    }

    static boolean equals(byte @Nullable [] stored, Request request, int i) {
        if (stored == null || stored.length - 1 != request.length(i)) {
            return false;
        }
        for (int p = 1; p < stored.length; p++) {
            if (stored[p] != request.at(i, p - 1)) {
                return false;
            }
        }
        return true;
    }
}
