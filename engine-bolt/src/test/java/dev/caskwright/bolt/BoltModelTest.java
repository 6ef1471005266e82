package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random histories beside a model: nested buckets, cursors that delete, rollbacks, old readers, reopening; checked at each commit. */
final class BoltModelTest {
    @TempDir
    Path directory;

    /** A bucket of the model: values are arrays, buckets are models. */
    private static final class Model {
        final TreeMap<byte[], Object> entries = new TreeMap<>(Arrays::compareUnsigned);
        long sequence;

        Model copy() {
            Model copy = new Model();
            copy.sequence = sequence;
            entries.forEach((key, value) -> copy.entries.put(key, value instanceof Model m ? m.copy() : value));
            return copy;
        }
    }

    private record OldReader(BoltTransaction transaction, Model model) {}

    private Random random = new Random();
    private int keySpace;
    private int maxValue;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void theDatabaseIsWhatTheModelIs(long seed) throws IOException {
        compare(seed, directory.resolve("model.db"));
    }

    /** For {@code -Dcaskwright.bolt.seeds}. */
    @Test
    @Tag("campaign")
    void theDatabaseIsWhatTheModelIsForLonger() throws IOException {
        for (long seed : CampaignSeeds.get()) {
            Path file = directory.resolve("model" + seed + ".db");
            compare(seed, file);
            Files.delete(file);
            System.out.println("bolt models: done up to seed=" + seed);
        }
    }

    private void compare(long seed, Path file) throws IOException {
        random = new Random(seed);
        int pageSize = 512 << random.nextInt(4);
        keySpace = 20 + random.nextInt(2_000);
        maxValue = random.nextInt(4) == 0 ? 3 * pageSize : pageSize / 4;
        boolean writesFreelist = random.nextInt(3) > 0;
        Model model = new Model();
        List<OldReader> readers = new ArrayList<>();
        BoltDatabase database = open(file, pageSize, writesFreelist);
        try {
            for (int round = 0; round < 60; round++) {
                Model changed = model.copy();
                BoltTransaction transaction = database.beginWrite();
                change(transaction.root(), changed, 0, 1 + random.nextInt(200));
                if (random.nextInt(5) == 0) {
                    transaction.rollback();
                } else {
                    transaction.commit();
                    model = changed;
                }
                if (random.nextInt(4) == 0) {
                    readers.add(new OldReader(database.beginRead(), model.copy()));
                }
                if (!readers.isEmpty() && random.nextInt(4) == 0) {
                    OldReader old = readers.remove(random.nextInt(readers.size()));
                    assertSame(old.transaction.root(), old.model, "seed " + seed + ", round " + round + ", old reader");
                    old.transaction.close();
                }
                if (round % 10 == 9) {
                    for (OldReader old : readers) {
                        assertSame(old.transaction.root(), old.model, "seed " + seed + ", round " + round);
                        old.transaction.close();
                    }
                    readers.clear();
                    database.close();
                    database = open(file, pageSize, writesFreelist);
                    assertThat(database.check().problems()).as("seed " + seed).isEmpty();
                }
                try (BoltTransaction reader = database.beginRead()) {
                    assertSame(reader.root(), model, "seed " + seed + ", round " + round);
                }
            }
        } finally {
            readers.forEach(old -> old.transaction.close());
            database.close();
        }
    }

    private BoltDatabase open(Path file, int pageSize, boolean writesFreelist) throws IOException {
        return BoltDatabase.builder(file)
                .pageSize(pageSize)
                .writesFreelist(writesFreelist)
                .checksCommits(true)
                .io(random.nextBoolean() ? MmapIoManager::open : StandardIoManager::open)
                .open();
    }

    private void change(Bucket bucket, Model model, int depth, int steps) throws IOException {
        for (int step = 0; step < steps; step++) {
            byte[] key = key();
            Object there = model.entries.get(key);
            switch (random.nextInt(depth == 0 ? 12 : 10)) {
                case 0, 1, 2, 3, 4 -> {
                    if (there instanceof Model) {
                        continue;
                    }
                    byte[] value = value();
                    bucket.put(key, value);
                    model.entries.put(key, value);
                }
                case 5, 6 -> {
                    if (!(there instanceof Model)) {
                        assertThat(bucket.delete(key)).isEqualTo(there != null);
                        model.entries.remove(key);
                    }
                }
                case 7 -> deleteSome(bucket, model);
                case 8 -> {
                    bucket.setSequence(bucket.sequence() + 7);
                    model.sequence += 7;
                }
                case 9 -> {
                    if (there instanceof Model && random.nextInt(3) == 0) {
                        bucket.deleteBucket(key);
                        model.entries.remove(key);
                    }
                }
                default -> nested(bucket, model, key, there, depth);
            }
        }
    }

    private void nested(Bucket bucket, Model model, byte[] key, @Nullable Object there, int depth) throws IOException {
        if (there instanceof byte[]) {
            return;
        }
        Model inner = there instanceof Model known ? known : new Model();
        Bucket nested = bucket.createBucketIfNotExists(key);
        model.entries.put(key, inner);
        change(nested, inner, depth + 1, random.nextInt(60));
        if (random.nextInt(10) == 0) {
            byte[] other = key();
            if (!model.entries.containsKey(other)) {
                Model target = new Model();
                Bucket targetBucket = bucket.createBucket(other);
                bucket.moveBucket(key, targetBucket);
                target.entries.put(key, model.entries.remove(key));
                model.entries.put(other, target);
            }
        }
    }

    /** Deletes with a cursor, and goes on from there in both directions. */
    private void deleteSome(Bucket bucket, Model model) throws IOException {
        BoltCursor cursor = bucket.cursor();
        byte[] start = key();
        if (!cursor.seek(start)) {
            assertThat(model.entries.ceilingKey(start)).isNull();
            return;
        }
        int count = random.nextInt(30);
        for (int i = 0; i < count; i++) {
            byte[] at = cursor.key();
            if (!(model.entries.get(at) instanceof Model) && model.entries.containsKey(at)) {
                cursor.delete();
                model.entries.remove(at);
            }
            boolean forward = random.nextInt(4) > 0;
            byte[] expected = forward ? model.entries.higherKey(at) : model.entries.lowerKey(at);
            boolean moved = forward ? cursor.next() : cursor.previous();
            assertThat(moved).isEqualTo(expected != null);
            if (!moved) {
                return;
            }
            assertThat(cursor.key()).isEqualTo(expected);
        }
    }

    private byte[] key() {
        int number = random.nextInt(keySpace);
        return (number % 3 == 0 ? "k" + number : String.format("key-%06d", number)).getBytes();
    }

    private byte[] value() {
        byte[] value = new byte[random.nextInt(maxValue + 1)];
        random.nextBytes(value);
        return value;
    }

    private static void assertSame(Bucket bucket, Model model, String where) throws IOException {
        assertThat(bucket.sequence()).as(where).isEqualTo(model.sequence);
        BoltCursor cursor = bucket.cursor();
        boolean isThere = cursor.first();
        for (Map.Entry<byte[], Object> entry : model.entries.entrySet()) {
            assertThat(isThere).as(where).isTrue();
            assertThat(cursor.key()).as(where).isEqualTo(entry.getKey());
            if (entry.getValue() instanceof Model nested) {
                assertThat(cursor.isBucket()).as(where).isTrue();
                assertThat(bucket.get(entry.getKey())).as(where).isNull();
                assertSame(bucket.bucket(entry.getKey()), nested, where);
            } else {
                assertThat(cursor.value()).as(where).isEqualTo((byte[]) entry.getValue());
                assertThat(bucket.get(entry.getKey())).as(where).isEqualTo((byte[]) entry.getValue());
            }
            isThere = cursor.next();
        }
        assertThat(isThere).as(where).isFalse();
        byte[] expectedLast = model.entries.isEmpty() ? null : model.entries.lastKey();
        assertThat(cursor.last() ? cursor.key() : null).as(where).isEqualTo(expectedLast);
    }
}
