package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.DANGEROUS;
import static dev.caskwright.server.command.Category.KEYSPACE;
import static dev.caskwright.server.command.Flag.READONLY;

import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/** Commands that look at many keys. They run in a worker. */
final class ScanCommands {
    private static final String GROUP = "generic";

    /** The greatest number of keys that one SCAN looks at. */
    private static final long MAX_COUNT = 100_000;

    /** The greatest number of keys that KEYS returns: a reply of more would be larger than what a client may be sent. */
    private static final int MAX_KEYS = 10_000_000;

    /** What a key takes beside its bytes while a reply is made, roughly. */
    private static final long KEY_BYTES = 32;

    /** Among how many keys RANDOMKEY chooses. */
    private static final int RANDOM_KEYS = 1_000;

    private ScanCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("KEYS", 2, ScanCommands::keys)
                .flags(READONLY)
                .in(KEYSPACE, DANGEROUS, Category.READ)
                .doc(GROUP, "1.0.0", "Returns all keys that match a pattern."));
        commands.add(new Command("SCAN", -2, ScanCommands::scan)
                .flags(READONLY)
                .in(KEYSPACE, Category.READ)
                .doc(GROUP, "2.8.0", "Returns the keys of a database piece by piece."));
        commands.add(new Command("RANDOMKEY", 1, ScanCommands::random)
                .flags(READONLY)
                .in(KEYSPACE, Category.READ)
                .doc(GROUP, "1.0.0", "Returns a key, one of the first thousand that the store comes upon."));
    }

    private static void keys(Call call) throws IOException {
        Glob glob = CommandException.glob(call.request().bytes(1));
        List<Keyspace.Part> parts = call.parts();
        call.keyspace().gate().readEverything();
        call.defer(reply -> {
            long limit = reply.limit();
            List<byte[]> found = new ArrayList<>();
            long[] bytes = {0};
            for (Keyspace.Part part : parts) {
                part.visit(prefix(glob), (key, stored) -> {
                    if (glob.matches(key, 1)) {
                        found.add(key);
                        bytes[0] += key.length + KEY_BYTES;
                    }
                    return found.size() <= MAX_KEYS && bytes[0] <= limit;
                });
            }
            if (found.size() > MAX_KEYS || bytes[0] > limit) {
                throw new CommandException("ERR too many keys match for one reply; use SCAN");
            }
            reply.array(found.size());
            found.forEach(key -> reply.bulk(key, 1, key.length - 1));
        });
    }

    private static byte[] prefix(Glob glob) {
        return Arrays.copyOf(glob.bytes(), glob.prefixLength());
    }

    private static void random(Call call) throws IOException {
        List<Keyspace.Part> parts = call.parts();
        call.keyspace().gate().readEverything();
        call.defer(reply -> {
            List<byte[]> some = new ArrayList<>();
            for (Keyspace.Part part : parts) {
                int most = some.size() + RANDOM_KEYS;
                part.visit(new byte[0], (key, stored) -> {
                    some.add(key);
                    return some.size() < most;
                });
            }
            if (some.isEmpty()) {
                reply.nil();
            } else {
                byte[] key = some.get(ThreadLocalRandom.current().nextInt(some.size()));
                reply.bulk(key, 1, key.length - 1);
            }
        });
    }

    private static void scan(Call call) throws IOException {
        Request request = call.request();
        long cursor = cursor(request.text(1));
        Glob glob = Glob.all();
        long count = 10;
        boolean wantsStrings = true;
        for (int i = 2; i < call.count(); i += 2) {
            if (i + 1 == call.count()) {
                throw CommandException.syntax();
            }
            if (request.is(i, "MATCH")) {
                glob = CommandException.glob(request.bytes(i + 1));
            } else if (request.is(i, "COUNT")) {
                count = call.integer(i + 1);
                if (count < 1) {
                    throw CommandException.syntax();
                }
            } else if (request.is(i, "TYPE")) {
                wantsStrings = request.text(i + 1).toLowerCase(Locale.ROOT).equals("string");
            } else {
                throw CommandException.syntax();
            }
        }
        Glob pattern = glob;
        int size = (int) Math.min(count, MAX_COUNT);
        boolean isAny = wantsStrings;
        List<Keyspace.Part> parts = call.parts();
        byte slot = call.keyspace().slot(call.session().database());
        call.keyspace().gate().readEverything();
        Scans scans = call.host().scans();
        call.defer(reply -> {
            Scans.Page page = scans.next(cursor, slot, parts, prefix(pattern), size);
            List<byte[]> found = new ArrayList<>();
            for (byte[] key : page.keys()) {
                if (isAny && pattern.matches(key, 1)) {
                    found.add(key);
                }
            }
            reply.array(2);
            reply.bulk(Long.toUnsignedString(page.cursor()));
            reply.array(found.size());
            found.forEach(key -> reply.bulk(key, 1, key.length - 1));
        });
    }

    private static long cursor(String text) {
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new CommandException("ERR invalid cursor");
        }
    }
}
