package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A random user of a store, the same for the same seed: does one thing after another to an engine and to its model, and
 * compares the answers. Few keys, so that overwriting, deleting and merging the same ones is the common case.
 *
 * <p>When an engine call ends in an error, the model knows what the outcome may be, and the error reaches the caller;
 * who crashes and reopens the store does so between two steps or because of such an error. For one thread.
 */
public final class RandomHistory {
    private static final int LARGE_LENGTH = 100 << 10;
    private static final int LARGE_ONE_IN = 400;
    private static final int MAX_BATCH = 8;
    private static final int MAX_SNAPSHOTS = 3;

    private record OpenSnapshot(Snapshot snapshot, NavigableMap<byte[], byte[]> content) {}

    private final Random random;
    private final ManualClock clock;
    private final StoreModel model;
    private final String context;
    private final List<OpenSnapshot> snapshots = new ArrayList<>();
    private int keys = 50;
    private int maxValueLength = 200;
    private List<String> codecs = List.of();
    private boolean isMerging = true;
    private boolean canExpire;
    private boolean hasLargeValues = true;
    private int steps;
    private String step = "none";

    /** Makes a user that starts with an empty store; failures name the seed. */
    public RandomHistory(long seed, StoreModel model, ManualClock clock) {
        this.random = new Random(seed);
        this.model = model.context("seed=" + seed);
        this.clock = clock;
        this.context = "seed=" + seed;
    }

    /** Sets how many keys there are; 50 at first. */
    public RandomHistory keys(int keys) {
        this.keys = keys;
        return this;
    }

    /** Sets the length of most values, at most, in bytes; 200 at first. One in 400 has 100 KiB unless switched off. */
    public RandomHistory values(int maxLength, boolean hasLargeValues) {
        this.maxValueLength = maxLength;
        this.hasLargeValues = hasLargeValues;
        return this;
    }

    /** Has most values be texts, and some writes name one of these codecs; at first none does, and values are noise. */
    public RandomHistory codecs(String... names) {
        this.codecs = List.of(names);
        return this;
    }

    /** Sets whether some steps merge; at first they do. */
    public RandomHistory merging(boolean isMerging) {
        this.isMerging = isMerging;
        return this;
    }

    /** Describes the step under way or done last. */
    @Override
    public String toString() {
        return context + ", step=" + steps + " (" + step + ")";
    }

    /**
     * Does the random thing that a number stands for. A history that is a list of numbers can be shortened when it fails:
     * leaving one out does not change what the others stand for.
     */
    public void step(StorageEngine engine, long number) throws IOException {
        random.setSeed(number);
        step(engine);
    }

    /** Does one random thing to the engine and the model. */
    public void step(StorageEngine engine) throws IOException {
        steps++;
        canExpire = engine.facet(Expiry.class).isPresent();
        int choice = random.nextInt(100);
        if (choice < 28) {
            put(engine);
        } else if (choice < 42) {
            delete(engine);
        } else if (choice < 52) {
            batch(engine);
        } else if (choice < 67) {
            conditionalWrite(engine);
        } else if (choice < 72) {
            if (engine.facet(Expiry.class).isPresent()) {
                expire(engine);
            } else {
                delete(engine);
            }
        } else if (choice < 75) {
            step = "move the clock";
            clock.advance(Duration.ofMillis(random.nextInt(2_000)));
        } else if (choice < 77) {
            step = "sync";
            engine.sync();
            model.synced();
        } else if (choice < 79 && isMerging) {
            step = "merge";
            EngineSteps.merge(engine);
        } else if (choice < 84) {
            useSnapshots(engine);
        } else if (choice < 86) {
            step = "read everything";
            model.assertCurrent(KeyValues.entries(engine));
        } else {
            read(engine);
        }
    }

    /** Forgets the snapshots that are open, because their engine is closed or crashed. */
    public void forgetSnapshots() {
        snapshots.clear();
    }

    private void put(StorageEngine engine) throws IOException {
        byte[] key = key();
        byte[] value = value();
        WriteOptions options = optionsWithExpiry();
        step = "put " + KeyValues.describe(key);
        apply(model.beginPut(key, value, options), () -> engine.put(key, value, options));
    }

    private void delete(StorageEngine engine) throws IOException {
        byte[] key = key();
        WriteOptions options = options();
        step = "delete " + KeyValues.describe(key);
        boolean isThere = model.get(key) != null;
        conditionally(isThere, () -> model.beginDelete(key, options), () -> engine.delete(key, options));
    }

    private void batch(StorageEngine engine) throws IOException {
        WriteBatch batch = new WriteBatch();
        for (int i = random.nextInt(MAX_BATCH + 1); i > 0; i--) {
            if (random.nextInt(3) == 0) {
                batch.delete(key());
            } else {
                batch.put(key(), text(KeyValues.value(random, maxValueLength)), codec(expiry(WriteOptions.DEFAULT)));
            }
        }
        WriteOptions options = options();
        step = "batch of " + batch.size();
        apply(model.begin(batch, options), () -> engine.write(batch, options));
    }

    private void conditionalWrite(StorageEngine engine) throws IOException {
        byte[] key = key();
        byte[] value = value();
        byte[] present = model.get(key);
        WriteOptions options = optionsWithExpiry();
        // A guess that is wrong every other time.
        byte[] expected = present != null && random.nextBoolean() ? present : KeyValues.value(random, 2);
        boolean isExpected = present != null && Arrays.equals(present, expected);
        int kind = random.nextInt(4);
        Class<? extends Facet> needed = kind == 2 ? Versions.class : ConditionalWrites.class;
        if (engine.facet(needed).isEmpty()) {
            step = "put, for want of conditional writes";
            apply(model.beginPut(key, value, options), () -> engine.put(key, value, options));
            return;
        }
        switch (kind) {
            case 0 -> {
                step = "putIfAbsent " + KeyValues.describe(key);
                conditionally(
                        present == null,
                        () -> model.beginPut(key, value, options),
                        () -> engine.require(ConditionalWrites.class).putIfAbsent(key, value, options));
            }
            case 1 -> {
                step = "replace " + KeyValues.describe(key);
                conditionally(
                        isExpected,
                        () -> model.beginPut(key, value, options),
                        () -> engine.require(ConditionalWrites.class).replace(key, expected, value, options));
            }
            case 2 -> {
                step = "replaceVersion " + KeyValues.describe(key);
                Entry entry = engine.entry(key);
                long wrong = random.nextInt(2);
                long version = entry == null ? 1 : entry.version() + wrong;
                conditionally(
                        entry != null && wrong == 0,
                        () -> model.beginPut(key, value, options),
                        () -> engine.require(Versions.class).replaceVersion(key, version, value, options));
            }
            default -> {
                step = "delete if equal " + KeyValues.describe(key);
                WriteOptions plain = options();
                conditionally(
                        isExpected,
                        () -> model.beginDelete(key, plain),
                        () -> engine.require(ConditionalWrites.class).delete(key, expected, plain));
            }
        }
    }

    private void expire(StorageEngine engine) throws IOException {
        byte[] key = key();
        WriteOptions options = optionsWithExpiry();
        step = "expire " + KeyValues.describe(key);
        byte[] present = model.get(key);
        conditionally(
                present != null,
                () -> model.beginPut(key, present == null ? new byte[0] : present, options),
                () -> engine.require(Expiry.class).expire(key, options));
    }

    private void useSnapshots(StorageEngine engine) throws IOException {
        if (snapshots.size() < MAX_SNAPSHOTS && random.nextBoolean()) {
            step = "open a snapshot";
            snapshots.add(new OpenSnapshot(engine.snapshot(), model.content()));
        } else if (!snapshots.isEmpty()) {
            step = "read and perhaps close a snapshot";
            OpenSnapshot open = snapshots.get(random.nextInt(snapshots.size()));
            assertSame(open.content(), KeyValues.entries(open.snapshot()));
            readOne(open.snapshot(), open.content());
            readRange(open.snapshot().facet(OrderedView.class), open.content());
            if (random.nextBoolean()) {
                open.snapshot().close();
                snapshots.remove(open);
            }
        }
    }

    private void read(StorageEngine engine) throws IOException {
        step = "read";
        readOne(engine, model.content());
        if (random.nextInt(4) == 0) {
            readRange(engine.facet(OrderedView.class), model.content());
        }
    }

    private void readOne(ReadView view, NavigableMap<byte[], byte[]> content) throws IOException {
        byte[] key = key();
        byte[] expected = content.get(key);
        assertThat(view.get(key))
                .as("%s, key=%s", this, KeyValues.describe(key))
                .isEqualTo(expected);
        assertThat(view.contains(key))
                .as("%s, key=%s", this, KeyValues.describe(key))
                .isEqualTo(expected != null);
    }

    private void readRange(Optional<OrderedView> ordered, NavigableMap<byte[], byte[]> content) throws IOException {
        if (ordered.isEmpty()) {
            return;
        }
        byte[] low = key();
        byte[] high = key();
        if (Arrays.compareUnsigned(low, high) > 0) {
            byte[] swapped = low;
            low = high;
            high = swapped;
        }
        boolean isFromInclusive = random.nextBoolean();
        boolean isToInclusive = random.nextBoolean();
        boolean isDescending = random.nextBoolean();
        step = "range " + KeyValues.describe(low) + " " + KeyValues.describe(high);
        NavigableMap<byte[], byte[]> expected = KeyValues.newMap();
        // The same key twice, not included on one side, is an empty range; a map refuses it.
        if (!Arrays.equals(low, high) || (isFromInclusive && isToInclusive)) {
            expected.putAll(content.subMap(low, isFromInclusive, high, isToInclusive));
        }
        long limit = random.nextBoolean() ? Long.MAX_VALUE : random.nextInt(expected.size() + 2);
        List<byte[]> keysExpected = (isDescending ? expected.descendingMap() : expected)
                .keySet().stream().limit(limit).toList();
        List<byte[]> keysFound = new ArrayList<>();
        Range range = Range.all()
                .from(low, isFromInclusive)
                .to(high, isToInclusive)
                .descending(isDescending)
                .limit(limit);
        try (Cursor cursor = ordered.get().range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                keysFound.add(entry.key());
                assertThat(entry.value()).as(toString()).isEqualTo(expected.get(entry.key()));
            }
        }
        assertThat(keysFound.stream().map(KeyValues::describe))
                .as(toString())
                .containsExactlyElementsOf(
                        keysExpected.stream().map(KeyValues::describe).toList());
    }

    private void assertSame(NavigableMap<byte[], byte[]> expected, NavigableMap<byte[], Entry> found) {
        assertThat(found.keySet().stream().map(KeyValues::describe))
                .as(toString())
                .containsExactlyElementsOf(
                        expected.keySet().stream().map(KeyValues::describe).toList());
        for (Map.Entry<byte[], byte[]> entry : expected.entrySet()) {
            Entry other = found.get(entry.getKey());
            assertThat(other == null ? null : other.value())
                    .as("%s, key=%s", this, KeyValues.describe(entry.getKey()))
                    .isEqualTo(entry.getValue());
        }
    }

    private interface EngineWrite {
        void run() throws IOException;
    }

    private interface ConditionalWrite {
        boolean run() throws IOException;
    }

    private interface ModelWrite {
        StoreModel.Write begin();
    }

    private static void apply(StoreModel.Write write, EngineWrite engineWrite) throws IOException {
        try {
            engineWrite.run();
        } catch (IOException e) {
            write.fail(e);
            throw e;
        } catch (RuntimeException | Error e) {
            write.fail(undeclared(e));
            throw e;
        }
        write.acknowledge();
    }

    /** What an engine throws undeclared has no outcome: it has changed nothing. */
    private static IOException undeclared(Throwable thrown) {
        return new IOException("undeclared: " + thrown, thrown);
    }

    private void conditionally(boolean applies, ModelWrite modelWrite, ConditionalWrite engineWrite)
            throws IOException {
        StoreModel.@Nullable Write write = applies ? modelWrite.begin() : null;
        boolean hasApplied;
        try {
            hasApplied = engineWrite.run();
        } catch (IOException e) {
            if (write != null) {
                write.fail(e);
            }
            throw e;
        } catch (RuntimeException | Error e) {
            if (write != null) {
                write.fail(undeclared(e));
            }
            throw e;
        }
        assertThat(hasApplied).as(toString()).isEqualTo(applies);
        if (write != null) {
            write.acknowledge();
        }
    }

    private byte[] key() {
        return KeyValues.key(random.nextInt(keys));
    }

    private byte[] value() {
        boolean isLarge = hasLargeValues && random.nextInt(LARGE_ONE_IN) == 0;
        return text(KeyValues.value(random, isLarge ? LARGE_LENGTH : maxValueLength));
    }

    /** Makes most values texts of their length where codecs are asked for. */
    private byte[] text(byte[] value) {
        return codecs.isEmpty() || random.nextInt(4) == 0 ? value : KeyValues.text(random, value.length);
    }

    private WriteOptions codec(WriteOptions options) {
        boolean isNamed = !codecs.isEmpty() && random.nextInt(3) == 0;
        return isNamed ? options.codec(codecs.get(random.nextInt(codecs.size()))) : options;
    }

    private WriteOptions options() {
        Durability[] levels = Durability.values();
        int choice = random.nextInt(levels.length + 1);
        return choice == levels.length ? WriteOptions.DEFAULT : WriteOptions.DEFAULT.durability(levels[choice]);
    }

    private WriteOptions optionsWithExpiry() {
        return codec(expiry(options()));
    }

    private WriteOptions expiry(WriteOptions options) {
        int choice = random.nextInt(10); // drawn for every engine, so that a seed means the same
        if (!canExpire) {
            return options;
        }
        return switch (choice) {
            case 0 -> options.timeToLive(Duration.ofMillis(1 + random.nextInt(5_000)));
            case 1 -> options.expiresAt(Instant.ofEpochMilli(clock.millis() + random.nextInt(5_000) - 500));
            default -> options;
        };
    }
}
