package dev.caskwright.server.infinispan;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Commands of a client that are executed together, what they have read, and what they change. For the runner's thread. */
final class Work {
    final byte[] commands;
    final CompletableFuture<byte[]> replies = new CompletableFuture<>();

    /** What was read, as the cache has it, or null for what is not there. The work has claims to all of these keys. */
    final Map<ByteBuffer, byte @Nullable []> known = new HashMap<>();

    /** The keys that no other work touches until this one has ended. */
    final List<ByteBuffer> claimed = new ArrayList<>();

    final Map<ByteBuffer, Change> changes = new LinkedHashMap<>();
    final Map<ByteBuffer, byte @Nullable []> ownChanges = new HashMap<>();

    /** Keys that were looked at and are not known yet. */
    final Set<ByteBuffer> missing = new LinkedHashSet<>();

    /** Works that wait for the end of this one. */
    Deque<Work> waiting = new ArrayDeque<>();

    /** Who has claims to a key that was looked at, or null. */
    @Nullable Work blocker;

    long millis;
    int topology;

    /** What of the budget is taken for {@link #known}. */
    long fetchedBytes;

    /** What of the budget is taken for {@link #changes}. */
    long changedBytes;

    /** The length of the longest value that was read. */
    long longest;

    /** How often it was executed anew, since a key was not as it was read. */
    int repeats;

    boolean hasEnded;

    /**
     * A change.
     *
     * @param stored the new value of the server, or null if the key is removed
     */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Change(byte @Nullable [] stored, long expiresAtMillis) {
        long bytes() {
            return stored == null ? 0 : stored.length;
        }
    }

    Work(byte[] commands) {
        this.commands = commands;
    }

    /** Begins an attempt. What was changed by the last one is forgotten already; what it read is not. */
    void begin(long nowMillis) {
        millis = nowMillis;
        ownChanges.clear();
        missing.clear();
        blocker = null;
    }

    /** Returns whether the attempt saw all that it looked at, so that what it did counts. */
    boolean isWhole() {
        return blocker == null && missing.isEmpty();
    }
}
