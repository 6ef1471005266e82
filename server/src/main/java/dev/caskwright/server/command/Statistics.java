package dev.caskwright.server.command;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What is counted while the server runs. Commands are counted under the keyspace's lock, bytes and connections anywhere. */
public final class Statistics {
    private static final int MAX_ERROR_CODES = 128;

    private final AtomicLong connections = new AtomicLong();
    private final AtomicLong refusedConnections = new AtomicLong();
    private final AtomicLong closedForLimits = new AtomicLong();
    private final LongAdder inputBytes = new LongAdder();
    private final LongAdder outputBytes = new LongAdder();
    private final AtomicLong heldBytes = new AtomicLong();
    private final Map<String, Long> errors = new TreeMap<>();
    private long commands;
    private long hits;
    private long misses;
    private long errorReplies;

    /** Notes a connection. */
    public void connected() {
        connections.incrementAndGet();
    }

    /** Notes a connection that was refused: one too many, or from outside in protected mode. */
    public void refused() {
        refusedConnections.incrementAndGet();
    }

    /** Notes a connection that was closed because it exceeded a limit. */
    public void closedForLimit() {
        closedForLimits.incrementAndGet();
    }

    /** Notes bytes that came. */
    public void received(long bytes) {
        inputBytes.add(bytes);
    }

    /** Notes bytes that went. */
    public void sent(long bytes) {
        outputBytes.add(bytes);
    }

    /** Notes bytes of replies that began to wait for a force, or ended to. */
    public void held(long bytes) {
        heldBytes.addAndGet(bytes);
    }

    long connections() {
        return connections.get();
    }

    long refusedConnections() {
        return refusedConnections.get();
    }

    long closedForLimits() {
        return closedForLimits.get();
    }

    long inputBytes() {
        return inputBytes.sum();
    }

    long outputBytes() {
        return outputBytes.sum();
    }

    long heldBytes() {
        return heldBytes.get();
    }

    void ranCommand() {
        commands++;
    }

    long commands() {
        return commands;
    }

    void looked(boolean isThere) {
        if (isThere) {
            hits++;
        } else {
            misses++;
        }
    }

    long hits() {
        return hits;
    }

    long misses() {
        return misses;
    }

    /** Notes an error reply by its code, the first word. */
    void failed(String message) {
        errorReplies++;
        int space = message.indexOf(' ');
        String code = space < 0 ? message : message.substring(0, space);
        if (errors.size() < MAX_ERROR_CODES || errors.containsKey(code)) {
            errors.merge(code, 1L, Long::sum);
        }
    }

    long errorReplies() {
        return errorReplies;
    }

    Map<String, Long> errors() {
        return errors;
    }

    void reset() {
        connections.set(0);
        refusedConnections.set(0);
        closedForLimits.set(0);
        inputBytes.reset();
        outputBytes.reset();
        errors.clear();
        commands = 0;
        hits = 0;
        misses = 0;
        errorReplies = 0;
    }
}
