package dev.caskwright.server.raft;

import dev.caskwright.testkit.history.Action;
import dev.caskwright.testkit.history.History;
import java.io.IOException;
import java.util.List;
import java.util.Random;

/** A client that does random things with a few keys, one after another, at one server and then another, and records them. */
final class HistoryClient {
    /** Keys are changed after so many operations, so that outcomes that nobody knows do not pile up. */
    private static final int OPERATIONS_PER_KEYS = 400;

    private static final int KEYS = 4;

    private final History history;
    private final List<Integer> ports;
    private final int number;
    private final Random random;
    private final Thread thread = new Thread(this::run);
    private volatile boolean isEnding;
    private int operations;
    private int port;

    HistoryClient(History history, List<Integer> ports, int number) {
        this.history = history;
        this.ports = List.copyOf(ports);
        this.number = number;
        random = new Random(number);
        port = number;
    }

    void start() {
        thread.start();
    }

    void end() throws InterruptedException {
        isEnding = true;
        thread.join();
    }

    private void run() {
        while (!isEnding) {
            try (RespConnection connection = new RespConnection(ports.get(port++ % ports.size()))) {
                for (int i = 0; i < 100 && !isEnding; i++) {
                    operate(connection);
                }
            } catch (IOException e) {
                Thread.onSpinWait(); // killed, or not there: the next server is asked
            }
        }
    }

    private void operate(RespConnection connection) throws IOException {
        String key = "k" + operations++ / OPERATIONS_PER_KEYS + "-" + random.nextInt(KEYS);
        boolean isNumber = key.endsWith("0");
        String value = "v" + number + "-" + operations;
        int choice = random.nextInt(6);
        if (choice < 3) {
            History.Pending pending = history.begin(number, key, Action.get());
            record(pending, connection, "GET", key);
        } else if (isNumber) {
            record(history.begin(number, key, Action.increment(1)), connection, "INCR", key);
        } else if (choice == 3) {
            record(history.begin(number, key, Action.delete()), connection, "DEL", key);
        } else if (choice == 4) {
            String found = connection.call("GET", key);
            if (found.startsWith("$") && !found.equals("$-1")) {
                String expected = found.substring(1);
                History.Pending pending = history.begin(number, key, Action.compareAndSet(expected, value));
                record(pending, connection, "SET", key, value, "IFEQ", expected);
            }
        } else {
            record(history.begin(number, key, Action.put(value)), connection, "SET", key, value);
        }
    }

    private static void record(History.Pending pending, RespConnection connection, String... request)
            throws IOException {
        String reply;
        try {
            reply = connection.call(request);
        } catch (IOException e) {
            pending.unknown();
            throw e;
        }
        if (reply.startsWith("-UNKNOWN")) {
            pending.unknown();
        } else if (reply.startsWith("-")) {
            pending.failed();
            throw new IOException("refused: " + reply);
        } else {
            switch (request[0]) {
                case "GET" -> pending.read(reply.equals("$-1") ? null : reply.substring(1));
                case "INCR" -> pending.count(Long.parseLong(reply.substring(1)));
                case "DEL" -> pending.applied(reply.equals(":1"));
                default -> {
                    if (request.length > 3) {
                        pending.applied(reply.equals("+OK"));
                    } else {
                        pending.done();
                    }
                }
            }
        }
    }
}
