package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.mvcc.map.MapCursor;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** However many parts a store is read in, its index is the same; and keys of any kind come in their order. */
final class LoaderTest {
    private static final Path PLACE = Path.of("/simulated");

    private static String describe(Loader.Loaded loaded) {
        StringBuilder text = new StringBuilder();
        text.append(loaded.contents().revision())
                .append(' ')
                .append(loaded.contents().compacted())
                .append(' ')
                .append(loaded.stored());
        MapCursor<KeyHistory> cursor = loaded.contents().index().cursor();
        for (boolean isThere = cursor.seek(null); isThere; isThere = cursor.next()) {
            KeyHistory history = cursor.value();
            text.append('\n').append(new String(cursor.key())).append(' ').append(new String(history.key()));
            for (int i = 0; i < history.count(); i++) {
                text.append(' ')
                        .append(history.main(i))
                        .append('.')
                        .append(history.sub(i))
                        .append(history.isTombstone(i) ? "t" : "");
            }
            text.append(' ').append(history.created()).append(' ').append(history.version());
        }
        for (Leases.Attachment each : loaded.leases()) {
            text.append('\n').append(new String(each.key())).append(" with ").append(each.lease());
        }
        return text.toString();
    }

    private static String load(OrderedStore store, int parts) throws IOException {
        try (OrderedStore.View view = store.openView()) {
            return describe(new Loader(view, store::openView, parts, 1).load());
        }
    }

    /** Stores revisions of a few keys; as after a compaction that was cut short, there are tombstones whose puts are gone. */
    private static void storeSome(OrderedStore store, Random random) throws IOException {
        store.commit(visitor -> {
            visitor.bucket(Schema.KEY);
            long main = 1;
            for (int i = random.nextInt(60); i >= 0; i--) {
                main += 1 + random.nextInt(3);
                for (int sub = random.nextInt(3); sub >= 0; sub--) {
                    byte[] key = ("key" + random.nextInt(8)).getBytes();
                    KeyValue entry = new KeyValue(
                            key, 1 + random.nextInt((int) main), main, 1 + random.nextInt(5), key, random.nextInt(3));
                    boolean isTombstone = random.nextInt(3) == 0;
                    visitor.change(
                            isTombstone ? Schema.tombstone(main, 2 - sub) : Schema.revision(main, 2 - sub),
                            Schema.encode(isTombstone ? new KeyValue(key, 0, 0, 0, new byte[0], 0) : entry));
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void inAnyNumberOfPartsAnIndexIsTheSame(Stores kind) throws IOException {
        for (long seed = 0; seed < 60; seed++) {
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            try (OrderedStore store = kind.open(PLACE, disk.factory(), MvccStore.buckets())) {
                storeSome(store, new Random(seed));
                String whole = load(store, 1);
                for (int parts : new int[] {2, 3, 4, 9, 50}) {
                    assertThat(load(store, parts))
                            .as("seed " + seed + ", parts " + parts)
                            .isEqualTo(whole);
                }
            }
        }
    }

    @Test
    void damageInAnyPartIsTold() throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        try (MvccStore store = MvccStore.builder(Stores.BOLT.open(PLACE, disk.factory(), MvccStore.buckets()))
                .timer(new ManualTimer())
                .open()) {
            for (int i = 0; i < 40; i++) {
                store.put("key".getBytes(), "value".getBytes());
            }
        }
        for (long revision = 2; revision <= 41; revision += 3) {
            byte[] key = Schema.revision(revision, 0);
            try (OrderedStore store = Stores.BOLT.open(PLACE, disk.peekKill().factory(), MvccStore.buckets());
                    OrderedStore.View before = store.openView()) {
                store.commit(visitor -> {
                    visitor.bucket(Schema.KEY);
                    visitor.change(key, new byte[] {1, 2, 3});
                });
                try (OrderedStore.View view = store.openView()) {
                    assertThat(catchThrowable(() -> new Loader(view, store::openView, 4, 1).load()))
                            .isInstanceOf(MvccException.class)
                            .hasMessageContaining("revision=" + revision + ".0");
                }
                assertThat(before.get(Schema.KEY, key)).isNotNull();
            }
        }
    }

    private static byte[] key(Random random, int kind) {
        return switch (kind) {
            case 0 -> String.format("%016d", random.nextInt(100_000)).getBytes();
            case 1 ->
                ("family" + random.nextInt(3) + "/" + "x".repeat(random.nextInt(3) * 9) + random.nextInt(10_000))
                        .getBytes();
            case 2 -> new byte[1 + random.nextInt(300)]; // zeros
            case 3 -> {
                byte[] key = new byte[1 + random.nextInt(4)];
                random.nextBytes(key);
                yield key;
            }
            default -> {
                byte[] key = new byte[40];
                key[random.nextInt(40)] = (byte) random.nextInt(3);
                key[39] = (byte) random.nextInt(256);
                yield key;
            }
        };
    }

    @Test
    void keysOfAnyKindAreSorted() {
        for (int kind = 0; kind < 5; kind++) {
            for (long seed = 0; seed < 5; seed++) {
                Random random = new Random(seed);
                TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
                for (int i = 0; i < 5_000; i++) {
                    keys.add(key(random, kind));
                }
                List<RevisionTable.Entry> entries = new ArrayList<>();
                keys.forEach(key -> entries.add(new RevisionTable.Entry(key)));
                entries.sort(Comparator.comparingInt(entry -> Arrays.hashCode(entry.key)));
                RevisionTable.Entry[] sorted = entries.toArray(new RevisionTable.Entry[0]);
                KeySort.sort(sorted);
                assertThat(Arrays.stream(sorted).map(entry -> entry.key).toList())
                        .as("kind " + kind + ", seed " + seed)
                        .isEqualTo(new ArrayList<>(keys));
            }
        }
    }
}
