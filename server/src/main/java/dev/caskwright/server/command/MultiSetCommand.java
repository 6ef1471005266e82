package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Data;
import dev.caskwright.server.store.Data.Stored;
import java.io.IOException;

/** MSETEX count key value [key value ...] [NX | XX] [EX | PX | EXAT | PXAT time | KEEPTTL]: all keys or none. */
final class MultiSetCommand {
    static final int COUNT_AT = 1;
    static final int FIRST_KEY = 2;

    private final Call call;
    private final int keysEnd;
    private boolean wantsAbsent;
    private boolean wantsPresent;
    private boolean keepsExpiry;
    private long expiresAtMillis = Data.NEVER;

    private MultiSetCommand(Call call) {
        this.call = call;
        long count = call.integer(COUNT_AT, 1, Integer.MAX_VALUE, "ERR invalid numkeys value");
        if (count > (call.count() - FIRST_KEY) / 2) {
            throw new CommandException("ERR wrong number of key-value pairs");
        }
        keysEnd = FIRST_KEY + 2 * (int) count;
    }

    static void run(Call call) throws IOException {
        MultiSetCommand command = new MultiSetCommand(call);
        command.parse();
        boolean holds = command.holds();
        if (holds) {
            call.atomically(command::put);
        }
        call.reply().integer(holds ? 1 : 0);
    }

    private void parse() {
        Request request = call.request();
        for (int i = keysEnd; i < call.count(); i++) {
            if (request.is(i, "NX") && !wantsPresent) {
                wantsAbsent = true;
            } else if (request.is(i, "XX") && !wantsAbsent) {
                wantsPresent = true;
            } else if (request.is(i, "KEEPTTL") && expiresAtMillis == Data.NEVER) {
                keepsExpiry = true;
            } else if (SetCommand.isTime(request, i)
                    && i + 1 < call.count()
                    && !keepsExpiry
                    && expiresAtMillis == Data.NEVER) {
                expiresAtMillis = SetCommand.moment(call, i++);
            } else {
                throw CommandException.syntax();
            }
        }
    }

    private boolean holds() throws IOException {
        if (wantsAbsent || wantsPresent) {
            for (int i = FIRST_KEY; i < keysEnd; i += 2) {
                if (call.data().contains(call.key(i)) != wantsPresent) {
                    return false;
                }
            }
        }
        return true;
    }

    private void put() throws IOException {
        boolean hasPassed = expiresAtMillis != Data.NEVER && expiresAtMillis <= call.nowMillis();
        for (int i = FIRST_KEY; i < keysEnd; i += 2) {
            byte[] key = call.key(i);
            Stored old = keepsExpiry ? call.data().entry(key) : null;
            if (hasPassed) {
                call.data().delete(key);
            } else {
                call.put(key, call.string(i + 1), old == null ? expiresAtMillis : old.expiresAtMillis());
            }
        }
    }
}
