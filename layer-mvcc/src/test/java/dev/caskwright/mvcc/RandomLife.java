package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.mvcc.Model.Change;
import dev.caskwright.mvcc.Model.Value;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.CommitToken;
import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Does random operations, every kind of them, to a store and its model, and compares what they answer. Watches that it opens are
 * followed through the life, and opened again in the next one where they ended.
 */
final class RandomLife {
    private static final int KEYS = 24;

    private final Random random;
    private final Model model;
    private final ManualClock clock;
    private final ManualTimer timer;
    private final List<Follower> followers = new ArrayList<>();
    private final List<Promise> promises = new ArrayList<>();

    /** The token of a write, and the state that it led to. */
    private record Promise(CommitToken token, int state) {}

    /** A watch, and what it has told. */
    private static final class Follower {
        final KeyRange range;
        final long from;
        final List<Change> told = new ArrayList<>();
        long upTo;
        Watch watch;

        Follower(KeyRange range, long from) {
            this.range = range;
            this.from = from;
            this.upTo = from - 1;
        }
    }

    RandomLife(long seed, Model model, ManualClock clock, ManualTimer timer) {
        this.random = new Random(seed);
        this.model = model;
        this.clock = clock;
        this.timer = timer;
    }

    private String key() {
        return "k" + random.nextInt(KEYS);
    }

    private KeyRange range() {
        return switch (random.nextInt(5)) {
            case 0 -> KeyRange.all();
            case 1 -> KeyRange.prefix(key().getBytes());
            case 2 -> KeyRange.from(key().getBytes());
            case 3 -> KeyRange.between(key().getBytes(), key().getBytes());
            default -> KeyRange.of(key().getBytes());
        };
    }

    private String value() {
        return "v".repeat(random.nextInt(random.nextInt(10) == 0 ? 400 : 12)) + random.nextInt(100);
    }

    /** Returns the last state of the model that is known to be durable. */
    int acknowledged() {
        for (int i = promises.size() - 1; i >= 0; i--) {
            try {
                if (promises.get(i).token.await(0, TimeUnit.NANOSECONDS)) {
                    return promises.get(i).state;
                }
            } catch (IOException e) {
                promises.remove(i); // it was told to have failed
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return 0;
    }

    private void promised(CommitToken token) {
        promises.add(new Promise(token, model.states.size() - 1));
    }

    /** Does one operation. */
    void step(MvccStore store) throws IOException {
        switch (random.nextInt(22)) {
            case 0, 1, 2, 3, 4, 5 -> put(store);
            case 6, 7 -> delete(store);
            case 8, 9, 10 -> transact(store);
            case 11 -> grant(store);
            case 12 -> revoke(store);
            case 13 -> compact(store);
            case 14 -> letTimePass(store);
            case 15 -> follow(store);
            case 16 -> store.commit();
            case 17 -> timer.runAll();
            case 18, 19 -> compact(store);
            default -> look(store);
        }
    }

    private long lease() {
        TreeSet<Long> ids = new TreeSet<>(model.latest().leases.keySet());
        return ids.isEmpty() || random.nextInt(3) > 0 ? 0 : new ArrayList<>(ids).get(random.nextInt(ids.size()));
    }

    private void put(MvccStore store) throws IOException {
        String key = key();
        String value = value();
        long lease = lease();
        Model.Step step = model.new Step();
        Value before = step.put(key, value, lease);
        step.end();
        Put put = Put.of(key.getBytes(), value.getBytes()).withLease(lease).returningPrevious();
        Written<PutResult> written = store.put(put);
        promised(written.token());
        assertThat(written.revision()).isEqualTo(model.latest().revision);
        KeyValue previous = written.result().previous();
        assertThat(previous == null ? null : Value.of(previous)).isEqualTo(before);
    }

    private void delete(MvccStore store) throws IOException {
        KeyRange range = range();
        Model.Step step = model.new Step();
        List<Value> deleted = step.delete(range);
        step.end();
        Written<DeleteResult> written = store.delete(DeleteRange.of(range).returningPrevious());
        promised(written.token());
        assertThat(written.revision()).isEqualTo(model.latest().revision);
        assertThat(values(written.result().previous())).isEqualTo(deleted);
    }

    private static List<Value> values(List<KeyValue> entries) {
        return entries.stream().map(Value::of).toList();
    }

    private void transact(MvccStore store) throws IOException {
        String compared = key();
        Value there = model.latest().content.get(compared);
        long version = random.nextInt(3);
        boolean holds = (there == null ? 0 : there.version()) > version;
        List<Comparison> comparisons = List.of(
                Comparison.of(compared.getBytes(), Comparison.Target.VERSION, Comparison.Relation.GREATER, version));
        List<Operation> then = List.of();
        List<Operation> otherwise = List.of();
        Model.Step step = model.new Step();
        String key = key();
        String value = value();
        if (holds) {
            KeyRange all = KeyRange.prefix(compared.getBytes());
            step.delete(all);
            then = List.of(DeleteRange.of(all), RangeRequest.of(KeyRange.all()));
            otherwise = List.of(Put.of(key.getBytes(), "wrong".getBytes()));
        } else {
            step.put(key, value, 0);
            otherwise = List.of(Put.of(key.getBytes(), value.getBytes()), RangeRequest.of(KeyRange.all()));
            then = List.of(DeleteRange.of(KeyRange.all()));
        }
        step.end();
        TxnResult result = store.txn(new Txn(comparisons, then, otherwise));
        promised(result.token());
        assertThat(result.isSuccess()).isEqualTo(holds);
        assertThat(result.revision()).isEqualTo(model.latest().revision);
        assertThat(values(((RangeResult) result.results().get(1)).entries()))
                .isEqualTo(new ArrayList<>(model.latest().content.values()));
    }

    private void grant(MvccStore store) throws IOException {
        long ttl = 1 + random.nextInt(60);
        Model.Step step = model.new Step();
        Written<Lease> granted = store.grantLease(0, ttl);
        step.state().leases.put(granted.result().id(), ttl);
        step.end();
        promised(granted.token());
    }

    private void revoke(MvccStore store) throws IOException {
        long id = lease();
        if (id != 0) {
            revokeInModel(id);
            Written<Integer> revoked = store.revokeLease(id);
            promised(revoked.token());
            assertThat(revoked.revision()).isEqualTo(model.latest().revision);
        }
    }

    private void revokeInModel(long id) {
        Model.Step step = model.new Step();
        step.state().leases.remove(id);
        for (Value value : new ArrayList<>(step.state().content.values())) {
            if (value.lease() == id) {
                step.delete(KeyRange.of(value.key().getBytes()));
            }
        }
        step.end();
    }

    private void compact(MvccStore store) throws IOException {
        long compacted = model.latest().compacted;
        long revision = Math.max(1, compacted + 1) + random.nextInt(12);
        if (revision <= model.latest().revision) {
            model.compact(revision);
            store.compact(revision);
        }
    }

    private void letTimePass(MvccStore store) throws IOException {
        clock.advance(Duration.ofSeconds(random.nextInt(20)));
        Map<Long, Boolean> hasEnded = new HashMap<>();
        for (long id : store.leases()) {
            hasEnded.put(id, store.lease(id).remainingSeconds() <= 0);
        }
        assertThat(hasEnded.keySet()).isEqualTo(model.latest().leases.keySet());
        for (long id : new TreeSet<>(hasEnded.keySet())) {
            if (hasEnded.get(id)) {
                revokeInModel(id);
            }
        }
        store.endLeases();
    }

    // ---------------------------------------------------------------- reading

    private void look(MvccStore store) throws IOException {
        long latest = model.latest().revision;
        long revision = random.nextInt(3) == 0 ? 0 : Math.max(1, latest - random.nextInt(20));
        check(store, revision, range());
    }

    private void check(MvccStore store, long revision, KeyRange range) throws IOException {
        Model.State latest = model.latest();
        long at = revision == 0 ? latest.revision : revision;
        boolean descends = random.nextBoolean();
        int limit = random.nextInt(4);
        RangeRequest.Order order = RangeRequest.Order.values()[random.nextInt(5)];
        RangeRequest request =
                RangeRequest.of(range).atRevision(revision).withLimit(limit).sortedBy(order, descends);
        if (at < latest.compacted) {
            try {
                store.range(request);
                throw new AssertionError("revision " + at + " is compacted");
            } catch (MvccException e) {
                assertThat(e.reason()).isEqualTo(MvccException.Reason.COMPACTED);
                return;
            }
        }
        List<Value> expected = new ArrayList<>();
        for (Value value : model.at(at).content.values()) {
            if (range.contains(value.key().getBytes())) {
                expected.add(value);
            }
        }
        int count = expected.size();
        Comparator<Value> comparator = switch (order) {
            case KEY -> Comparator.comparing(Value::key);
            case VERSION -> Comparator.comparingLong(Value::version);
            case CREATE_REVISION -> Comparator.comparingLong(Value::create);
            case MOD_REVISION -> Comparator.comparingLong(Value::mod);
            case VALUE -> Comparator.comparing(Value::value);
        };
        expected.sort(descends ? comparator.reversed() : comparator);
        List<Value> limited = limit == 0 || limit > count ? expected : expected.subList(0, limit);
        RangeResult result = store.range(request);
        assertThat(values(result.entries())).as(request.toString()).isEqualTo(limited);
        assertThat(result.count()).isEqualTo(count);
        assertThat(result.hasMore()).isEqualTo(limited.size() < count);
        assertThat(result.revision()).isEqualTo(latest.revision);
        RangeResult counted = store.range(request.returning(RangeRequest.Kind.COUNT));
        assertThat(counted.entries()).isEmpty();
        assertThat(counted.count()).isEqualTo(count);
    }

    /** Compares everything at the latest revision and at some before. */
    void checkAll(MvccStore store) throws IOException {
        Model.State latest = model.latest();
        assertThat(store.revision()).isEqualTo(latest.revision);
        assertThat(store.compactedRevision()).isEqualTo(latest.compacted);
        assertThat(new TreeSet<>(store.leases())).isEqualTo(latest.leases.keySet());
        for (long id : store.leases()) {
            Lease lease = store.lease(id);
            assertThat(lease.ttlSeconds()).isEqualTo(latest.leases.get(id));
            List<String> keys = lease.keys().stream().map(String::new).toList();
            assertThat(keys)
                    .isEqualTo(latest.content.values().stream()
                            .filter(value -> value.lease() == id)
                            .map(Value::key)
                            .toList());
        }
        long first = Math.max(1, latest.compacted);
        TreeSet<String> keys = new TreeSet<>(model.at(first).content.keySet());
        model.changes(KeyRange.all(), first + 1, latest.revision).forEach(change -> keys.add(change.key()));
        assertThat(store.stats().keys()).isEqualTo(keys.size());
        int kept = latest.compacted < 1 ? 0 : model.at(first).content.size();
        int later = latest.compacted < 1 ? 0 : (int) first;
        assertThat(revisions(store))
                .as("revisions that are stored")
                .isEqualTo(kept
                        + model.changes(KeyRange.all(), later + 1, latest.revision)
                                .size());
        for (long revision = first; revision <= latest.revision; revision += 1 + random.nextInt(5)) {
            RangeResult found = store.range(RangeRequest.of(KeyRange.all()).atRevision(revision));
            assertThat(values(found.entries()))
                    .as("revision " + revision)
                    .isEqualTo(new ArrayList<>(model.at(revision).content.values()));
        }
    }

    private static int revisions(MvccStore store) throws IOException {
        int count = 0;
        try (BackendView view = store.openView();
                OrderedStore.Cursor cursor = view.range(Schema.KEY, null, null, false)) {
            while (cursor.next()) {
                count++;
            }
        }
        return count;
    }

    // ---------------------------------------------------------------- watches

    private void follow(MvccStore store) throws IOException {
        long first = Math.max(1, model.latest().compacted + 1);
        long from = first + random.nextInt((int) Math.max(1, model.latest().revision - first + 3));
        Follower follower = new Follower(range(), from);
        follower.watch = open(store, follower.range, from);
        followers.add(follower);
    }

    private Watch open(MvccStore store, KeyRange range, long from) throws IOException {
        return store.watch(WatchRequest.of(range).fromRevision(from).buffering(1 + random.nextInt(5)));
    }

    /** Opens the watches again where they ended; those that a compaction has overtaken are given up. */
    void reconnect(MvccStore store) throws IOException {
        List<Follower> gone = new ArrayList<>();
        for (Follower follower : followers) {
            if (follower.upTo + 1 <= model.latest().compacted) {
                gone.add(follower);
            } else {
                follower.watch = open(store, follower.range, follower.upTo + 1);
            }
        }
        followers.removeAll(gone);
    }

    /** Fetches from some watches; their events are those of the model. */
    void fetch(boolean all) throws IOException {
        List<Follower> gone = new ArrayList<>();
        for (Follower follower : followers) {
            if (all || random.nextInt(3) == 0) {
                try {
                    fetch(follower);
                } catch (MvccException e) {
                    assertThat(e.reason()).isEqualTo(MvccException.Reason.COMPACTED);
                    assertThat(follower.upTo).isLessThan(model.latest().compacted);
                    follower.watch.close();
                    gone.add(follower);
                }
            }
        }
        followers.removeAll(gone);
    }

    private void fetch(Follower follower) throws IOException {
        for (WatchBatch batch = follower.watch.poll(); batch != null; batch = follower.watch.poll()) {
            for (Event event : batch.events()) {
                follower.told.add(Model.change(event));
            }
            follower.upTo = batch.revision();
        }
        assertThat(follower.told)
                .as("watch of " + follower.range + " from " + follower.from)
                .isEqualTo(model.changes(follower.range, follower.from, follower.upTo));
    }

    /** After a commit and a fetch, all watches have told everything. */
    void checkWatches(MvccStore store) throws IOException {
        store.commit();
        fetch(true);
        for (Follower follower : followers) {
            assertThat(follower.told).isEqualTo(model.changes(follower.range, follower.from, model.latest().revision));
        }
    }

    /** Returns which of the model's states the store is in, from one on; -1 if it is in none. */
    int find(MvccStore store, int from) throws IOException {
        Map<Long, Long> leases = new HashMap<>();
        for (long id : store.leases()) {
            leases.put(id, store.lease(id).ttlSeconds());
        }
        List<Value> content =
                values(store.range(RangeRequest.of(KeyRange.all())).entries());
        for (int i = model.states.size() - 1; i >= from; i--) {
            Model.State state = model.states.get(i);
            if (state.revision == store.revision()
                    && state.compacted == store.compactedRevision()
                    && state.leases.equals(leases)
                    && new ArrayList<>(state.content.values()).equals(content)) {
                return i;
            }
        }
        return -1;
    }
}
