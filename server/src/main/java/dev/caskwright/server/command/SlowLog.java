package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The commands that took long, the latest first, with what is needed of their arguments. Under the keyspace's lock. */
final class SlowLog {
    private static final int MAX_ARGUMENTS = 32;
    private static final int MAX_ARGUMENT_BYTES = 128;

    private final Deque<Slow> entries = new ArrayDeque<>();
    private long nextId;

    /** A command that took long. */
    record Slow(long id, long atMillis, long micros, List<byte[]> arguments, String client, String name) {}

    void add(Request request, Session session, long nowMillis, long micros, long maxEntries) {
        List<byte[]> arguments = new ArrayList<>();
        int shown = request.count() > MAX_ARGUMENTS ? MAX_ARGUMENTS - 1 : request.count();
        for (int i = 0; i < shown; i++) {
            arguments.add(shortened(request, i));
        }
        if (shown < request.count()) {
            arguments.add(
                    ("... (" + (request.count() - shown) + " more arguments)").getBytes(StandardCharsets.US_ASCII));
        }
        entries.addFirst(
                new Slow(nextId++, nowMillis, micros, arguments, session.link().remoteAddress(), session.name()));
        while (entries.size() > maxEntries) {
            entries.pollLast();
        }
    }

    private static byte[] shortened(Request request, int i) {
        if (request.length(i) <= MAX_ARGUMENT_BYTES) {
            return request.bytes(i);
        }
        byte[] rest = ("... (" + (request.length(i) - MAX_ARGUMENT_BYTES) + " more bytes)")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] whole = new byte[MAX_ARGUMENT_BYTES + rest.length];
        for (int p = 0; p < MAX_ARGUMENT_BYTES; p++) {
            whole[p] = request.at(i, p);
        }
        System.arraycopy(rest, 0, whole, MAX_ARGUMENT_BYTES, rest.length);
        return whole;
    }

    List<Slow> latest(long count) {
        List<Slow> all = new ArrayList<>(entries);
        return count < 0 || count > all.size() ? all : all.subList(0, (int) count);
    }

    int size() {
        return entries.size();
    }

    void clear() {
        entries.clear();
    }
}
