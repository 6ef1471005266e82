package dev.caskwright.mvcc;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * What a store must answer, the simplest way: the whole content at every revision, and the changes of each. Not for speed, and of
 * nothing in the store's way of doing it.
 */
final class Model {
    /** A key's value as of some revision, in a form that can be compared. */
    record Value(String key, String value, long create, long mod, long version, long lease) {
        static Value of(KeyValue entry) {
            return new Value(
                    new String(entry.key()),
                    new String(entry.value()),
                    entry.createRevision(),
                    entry.modRevision(),
                    entry.version(),
                    entry.lease());
        }
    }

    /** A change; {@code value} is null for a delete. */
    record Change(long revision, String key, Value value) {}

    /** The state after a revision, with everything that a transaction may have changed. */
    static final class State {
        final long revision;
        final TreeMap<String, Value> content;
        final TreeMap<Long, Long> leases; // with their time to live
        long compacted;

        State(long revision, TreeMap<String, Value> content, TreeMap<Long, Long> leases, long compacted) {
            this.revision = revision;
            this.content = content;
            this.leases = leases;
            this.compacted = compacted;
        }

        State copy(long at) {
            return new State(at, new TreeMap<>(content), new TreeMap<>(leases), compacted);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof State state
                    && state.revision == revision
                    && state.content.equals(content)
                    && state.leases.equals(leases)
                    && state.compacted == compacted;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(revision);
        }

        @Override
        public String toString() {
            return "revision=" + revision + ", compacted=" + compacted + ", leases=" + leases + ", content="
                    + content.values();
        }
    }

    /** Each state that the store was in, from an empty one on; several may have one revision. */
    final List<State> states = new ArrayList<>();

    final List<Change> changes = new ArrayList<>();

    Model() {
        states.add(new State(1, new TreeMap<>(), new TreeMap<>(), -1));
    }

    State latest() {
        return states.get(states.size() - 1);
    }

    /** Returns the content at a revision. */
    State at(long revision) {
        for (int i = states.size() - 1; i >= 0; i--) {
            if (states.get(i).revision <= revision) {
                return states.get(i);
            }
        }
        throw new AssertionError("no such revision: " + revision);
    }

    /** Collects what one transaction does. */
    final class Step {
        private final State next = latest().copy(latest().revision + 1);
        private final List<Change> made = new ArrayList<>();

        State state() {
            return next;
        }

        Value put(String key, String value, long lease) {
            Value before = next.content.get(key);
            next.content.put(
                    key,
                    new Value(
                            key,
                            value,
                            before == null ? next.revision : before.create,
                            next.revision,
                            before == null ? 1 : before.version + 1,
                            lease));
            made.add(new Change(next.revision, key, next.content.get(key)));
            return before;
        }

        List<Value> delete(KeyRange range) {
            List<Value> deleted = new ArrayList<>();
            for (Value value : new ArrayList<>(next.content.values())) {
                if (range.contains(value.key.getBytes())) {
                    next.content.remove(value.key);
                    made.add(new Change(next.revision, value.key, null));
                    deleted.add(value);
                }
            }
            return deleted;
        }

        void end() {
            if (made.isEmpty()) {
                if (!next.leases.equals(latest().leases) || next.compacted != latest().compacted) {
                    State same = new State(latest().revision, next.content, next.leases, next.compacted);
                    states.add(same);
                }
            } else {
                states.add(next);
                changes.addAll(made);
            }
        }
    }

    void compact(long revision) {
        Step step = new Step();
        step.state().compacted = revision;
        step.end();
    }

    /** Returns a model of the states up to one. */
    Model upTo(int state) {
        Model copy = new Model();
        copy.states.clear();
        copy.states.addAll(states.subList(0, state + 1));
        copy.changes.addAll(changes);
        copy.goBackTo(state);
        return copy;
    }

    /** Forgets the states after one, and their changes. */
    void goBackTo(int state) {
        states.subList(state + 1, states.size()).clear();
        long revision = latest().revision;
        changes.removeIf(change -> change.revision > revision);
    }

    /** Returns the changes of a range from a revision on, up to another. */
    List<Change> changes(KeyRange range, long from, long to) {
        List<Change> found = new ArrayList<>();
        for (Change change : changes) {
            if (change.revision >= from && change.revision <= to && range.contains(change.key.getBytes())) {
                found.add(change);
            }
        }
        return found;
    }

    static Change change(Event event) {
        return new Change(
                event.revision(),
                new String(event.keyValue().key()),
                event.kind() == Event.Kind.DELETE ? null : Value.of(event.keyValue()));
    }

    static byte[] bytes(String text) {
        return Arrays.copyOf(text.getBytes(), text.length());
    }
}
