package dev.caskwright.testkit;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/*
 * The model keeps the writes in their order. Those up to the last one that must survive a power loss are folded into one
 * state, so that judging costs what has happened since, however long the history is. A possible content is that state
 * plus the first few of the writes after it; where a write's outcome is unknown, both ways are tried.
 */
/**
 * What a store should hold: a plain map, plus the history that says which contents are possible after a crash.
 *
 * <p>A crash leaves the state after some first part of the writes, in their order and batches whole: after a kill at
 * least up to the last write acknowledged at WRITE or SYNC, after a power loss at least up to the last acknowledged at
 * SYNC or covered by a {@link dev.caskwright.api.StorageEngine#sync()}. A write that was begun and not acknowledged may
 * be there or not.
 *
 * <p>For one thread. Where several threads write, give each its own keys and its own model.
 */
public final class StoreModel {
    private static final int MAX_UNKNOWN = 12; // 4096 ways to try

    private enum Status {
        IN_FLIGHT,
        UNKNOWN,
        ACKNOWLEDGED,
        REFUSED
    }

    /** When a write must have survived. */
    private enum Fault {
        NONE,
        KILL,
        POWER_LOSS
    }

    @SuppressWarnings("ArrayRecordComponent") // compared by isSame
    private record Value(byte[] bytes, long expiresAtMillis) {
        boolean isAt(long nowMillis) {
            return expiresAtMillis == Entry.NEVER || nowMillis < expiresAtMillis;
        }
    }

    private final Durability defaultDurability;
    private final InstantSource clock;
    private final List<Write> history = new ArrayList<>();
    private NavigableMap<byte[], Value> folded = KeyValues.newMap();
    private NavigableMap<byte[], Value> current = KeyValues.newMap(); // after all writes but those refused
    private int foldedWrites;
    private long latestMillis;
    private String context = "";

    /**
     * Makes the model of an empty store.
     *
     * @param defaultDurability what a write has that does not ask for another
     * @param clock the store's clock
     */
    public StoreModel(Durability defaultDurability, InstantSource clock) {
        this.defaultDurability = defaultDurability;
        this.clock = clock;
    }

    /** Sets what every failure message begins with, such as the seed. */
    public StoreModel context(String context) {
        this.context = context;
        return this;
    }

    /** One write, from its begin to its end. */
    public final class Write {
        private final int number;
        private final NavigableMap<byte[], @Nullable Value> changes;
        private final Durability durability;
        private Status status = Status.IN_FLIGHT;
        private Durability survives = Durability.NONE;

        private Write(int number, NavigableMap<byte[], @Nullable Value> changes, Durability durability) {
            this.number = number;
            this.changes = changes;
            this.durability = durability;
        }

        /** Notes that the write returned. */
        public void acknowledge() {
            status = Status.ACKNOWLEDGED;
            survives = durability;
            if (durability == Durability.SYNC) {
                fold();
            }
        }

        /** Notes that the write failed, and what its error says of the outcome. */
        public void fail(IOException error) {
            Outcome outcome = error instanceof EngineException typed ? typed.outcome() : Outcome.NOT_APPLIED;
            status = switch (outcome) {
                case NOT_APPLIED -> Status.REFUSED;
                case APPLIED -> Status.ACKNOWLEDGED; // it is there now, and nothing is promised
                case UNKNOWN -> Status.UNKNOWN;
            };
            if (status == Status.REFUSED) {
                restoreCurrent();
            }
        }

        private boolean isOptional() {
            return status == Status.IN_FLIGHT || status == Status.UNKNOWN;
        }

        private String describe() {
            return "#" + number + " " + status + " at " + durability + ", " + changes.size() + " keys";
        }
    }

    /** Begins a write of a whole batch. Until it ends, its changes may be there or not. */
    public Write begin(WriteBatch batch, WriteOptions options) {
        NavigableMap<byte[], @Nullable Value> changes = KeyValues.newMap();
        long now = clock.millis();
        for (WriteBatch.Change change : batch.changes()) {
            byte[] bytes = change.value();
            Value value =
                    bytes == null ? null : new Value(bytes, change.expiry().expiresAtMillis(now));
            changes.put(change.key(), value);
        }
        return begin(changes, options);
    }

    /** Begins a put, conditional or not, of which it is known that it applies. */
    public Write beginPut(byte[] key, byte[] value, WriteOptions options) {
        NavigableMap<byte[], @Nullable Value> changes = KeyValues.newMap();
        changes.put(key.clone(), new Value(value.clone(), options.expiresAtMillis(clock.millis())));
        return begin(changes, options);
    }

    /** Begins a delete of a key. */
    public Write beginDelete(byte[] key, WriteOptions options) {
        NavigableMap<byte[], @Nullable Value> changes = KeyValues.newMap();
        changes.put(key.clone(), null);
        return begin(changes, options);
    }

    private Write begin(NavigableMap<byte[], @Nullable Value> changes, WriteOptions options) {
        Write write = new Write(foldedWrites + history.size(), changes, options.durabilityOr(defaultDurability));
        history.add(write);
        apply(current, write);
        return write;
    }

    /** Notes that a sync returned, which began after all writes so far had ended. */
    public void synced() {
        for (Write write : history) {
            if (write.status == Status.ACKNOWLEDGED) {
                write.survives = Durability.SYNC;
            }
        }
        fold();
    }

    /** Returns the value that the key should have now, or null. Unknown writes count as applied. */
    public byte @Nullable [] get(byte[] key) {
        Value value = current.get(key);
        return value == null || !value.isAt(now()) ? null : value.bytes().clone();
    }

    /** Returns the keys and values that the store should show now. Unknown writes count as applied. */
    public NavigableMap<byte[], byte[]> content() {
        NavigableMap<byte[], byte[]> content = KeyValues.newMap();
        long now = now();
        current.forEach((key, value) -> {
            if (value.isAt(now)) {
                content.put(key, value.bytes().clone());
            }
        });
        return content;
    }

    /**
     * Fails unless a running store may hold these entries: those of all acknowledged writes.
     *
     * @param found all entries of the store, as {@link KeyValues#entries} returns them
     */
    public void assertCurrent(Map<byte[], Entry> found) {
        judge(found, Fault.NONE);
    }

    /** Fails unless a store may hold these entries after its process was killed. */
    public void assertPossibleAfterKill(Map<byte[], Entry> found) {
        judge(found, Fault.KILL);
    }

    /** Fails unless a store may hold these entries after a power loss. */
    public void assertPossibleAfterPowerLoss(Map<byte[], Entry> found) {
        judge(found, Fault.POWER_LOSS);
    }

    /** Judges a store that was reopened after a kill, and goes on from what was found, which is durable now. */
    public void recoverAfterKill(Map<byte[], Entry> found) {
        goOnFrom(judge(found, Fault.KILL));
    }

    /** Judges a store that was reopened after a power loss, and goes on from what was found, which is durable now. */
    public void recoverAfterPowerLoss(Map<byte[], Entry> found) {
        goOnFrom(judge(found, Fault.POWER_LOSS));
    }

    /** Judges a store that was reopened after a normal close, which made everything durable. */
    public void reopened(Map<byte[], Entry> found) {
        goOnFrom(judge(found, Fault.NONE));
    }

    private void goOnFrom(NavigableMap<byte[], Value> state) {
        foldedWrites += history.size();
        history.clear();
        folded = state;
        restoreCurrent();
    }

    private void restoreCurrent() {
        current = newState();
        for (Write write : history) {
            if (write.status != Status.REFUSED) {
                apply(current, write);
            }
        }
    }

    /** Moves into the folded state what can no longer be lost. */
    private void fold() {
        int end = required(Fault.POWER_LOSS);
        int count = 0;
        while (count < end && !history.get(count).isOptional()) {
            if (history.get(count).status == Status.ACKNOWLEDGED) {
                apply(folded, history.get(count));
            }
            count++;
        }
        history.subList(0, count).clear();
        foldedWrites += count;
    }

    /** Returns how many of the writes must have survived. */
    private int required(Fault fault) {
        for (int i = history.size() - 1; i >= 0; i--) {
            Write write = history.get(i);
            boolean isRequired = switch (fault) {
                case NONE -> write.status == Status.ACKNOWLEDGED;
                case KILL -> write.survives != Durability.NONE;
                case POWER_LOSS -> write.survives == Durability.SYNC;
            };
            if (isRequired) {
                return i + 1;
            }
        }
        return 0;
    }

    private long now() {
        // An entry that was expired once stays so, whatever the clock does.
        latestMillis = Math.max(latestMillis, clock.millis());
        return latestMillis;
    }

    private NavigableMap<byte[], Value> newState() {
        NavigableMap<byte[], Value> state = KeyValues.newMap();
        state.putAll(folded);
        return state;
    }

    private static void apply(Map<byte[], Value> state, Write write) {
        write.changes.forEach((key, value) -> {
            if (value == null) {
                state.remove(key);
            } else {
                state.put(key, value);
            }
        });
    }

    /** Returns the state that the entries are, or fails. */
    private NavigableMap<byte[], Value> judge(Map<byte[], Entry> found, Fault fault) {
        List<Write> unknown = new ArrayList<>(history);
        unknown.removeIf(write -> !write.isOptional());
        if (unknown.size() > MAX_UNKNOWN) {
            throw new IllegalStateException("too many writes of unknown outcome: " + unknown.size());
        }
        int required = required(fault);
        Closest closest = new Closest();
        for (int omitted = 0; omitted < 1 << unknown.size(); omitted++) {
            NavigableMap<byte[], Value> state = newState();
            for (int count = 0; ; count++) {
                if (count >= required && closest.offer(state, found, count)) {
                    return state;
                }
                if (count == history.size()) {
                    break;
                }
                Write write = history.get(count);
                boolean isOmitted = write.isOptional() && (omitted >> unknown.indexOf(write) & 1) != 0;
                if (write.status != Status.REFUSED && !isOmitted) {
                    apply(state, write);
                }
            }
        }
        throw new AssertionError(message(found, fault, required, closest));
    }

    /** Remembers the allowed state that differs least from the one found. */
    private final class Closest {
        private int differences = Integer.MAX_VALUE;
        private int writes;
        private byte[] key = {};
        private @Nullable Value expected;

        /** Returns whether the state is the one found. */
        boolean offer(NavigableMap<byte[], Value> state, Map<byte[], Entry> found, int count) {
            long now = now();
            int differing = 0;
            byte[] firstKey = {};
            Value firstExpected = null;
            NavigableMap<byte[], Entry> unexpected = KeyValues.newMap();
            unexpected.putAll(found);
            for (Map.Entry<byte[], Value> expectation : state.entrySet()) {
                Value value = expectation.getValue();
                if (!value.isAt(now)) {
                    continue;
                }
                Entry entry = unexpected.remove(expectation.getKey());
                if (!isSame(value, entry) && differing++ == 0) {
                    firstKey = expectation.getKey();
                    firstExpected = value;
                }
            }
            if (differing == 0 && !unexpected.isEmpty()) {
                firstKey = unexpected.firstKey();
            }
            differing += unexpected.size();
            if (differing < differences) {
                differences = differing;
                writes = count;
                key = firstKey;
                expected = firstExpected;
            }
            return differing == 0;
        }

        private static boolean isSame(Value value, @Nullable Entry entry) {
            return entry != null
                    && value.expiresAtMillis() == entry.expiresAtMillis()
                    && Arrays.equals(value.bytes(), entry.value());
        }
    }

    private String message(Map<byte[], Entry> found, Fault fault, int required, Closest closest) {
        int first = foldedWrites + required;
        int last = foldedWrites + history.size();
        StringBuilder text = new StringBuilder(context.isEmpty() ? "" : context + ": ");
        text.append("impossible content (fault=")
                .append(fault)
                .append("): it is not the state after any of the first ");
        text.append(first).append(" to ").append(last).append(" writes; closest is that after ");
        text.append(foldedWrites + closest.writes).append(", with ").append(closest.differences);
        text.append(" differences, first at key ").append(KeyValues.describe(closest.key));
        text.append("\n  expected: ").append(describe(closest.expected));
        Entry entry = found.get(closest.key);
        text.append("\n  found:    ")
                .append(describe(entry == null ? null : new Value(entry.value(), entry.expiresAtMillis())));
        text.append("\n  writes to it since the last that is durable for certain:");
        for (Write write : history) {
            if (write.changes.containsKey(closest.key)) {
                text.append("\n    ").append(write.describe()).append(": ");
                text.append(describe(write.changes.get(closest.key)));
            }
        }
        return text.toString();
    }

    private static String describe(@Nullable Value value) {
        if (value == null) {
            return "absent";
        }
        String expiry = value.expiresAtMillis() == Entry.NEVER ? "" : ", expires at " + value.expiresAtMillis();
        return KeyValues.describe(value.bytes()) + expiry;
    }
}
