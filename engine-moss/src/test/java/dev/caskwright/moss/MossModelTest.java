package dev.caskwright.moss;

import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random histories of batches, merges in memory, snapshots and iterators, compared with maps after each step. */
final class MossModelTest {
    private static final int STEPS = 250;
    private static final int KEYS = 60;

    private record Seen(MossSnapshot snapshot, Model model) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void aStoreInMemoryAnswersAsTheModelDoes(long seed) throws IOException {
        Random random = new Random(seed);
        Model model = new Model();
        List<Seen> seen = new ArrayList<>();
        try (MossEngine engine = MossEngine.inMemory()
                .mergeOperator(new Append())
                .tableBytes(16 << 10)
                .withoutThreads()
                .open()) {
            for (int step = 0; step < STEPS; step++) {
                String where = "seed " + seed + ", step " + step;
                step(random, engine, model, step);
                model.assertSamples(random, engine, KEYS, where);
                if (random.nextInt(10) == 0) {
                    seen.add(new Seen(engine.snapshot(), model.copy()));
                }
                if (!seen.isEmpty() && random.nextInt(12) == 0) {
                    Seen each = seen.remove(random.nextInt(seen.size()));
                    each.model.assertShownBy(each.snapshot, where + ", a snapshot");
                    each.snapshot.close();
                }
            }
            model.assertShownBy(engine, "seed " + seed + ", at the end");
            engine.compact();
            model.assertShownBy(engine, "seed " + seed + ", compacted");
            for (Seen each : seen) {
                each.model.assertShownBy(each.snapshot, "seed " + seed + ", a snapshot at the end");
            }
        }
    }

    private static void step(Random random, MossEngine engine, Model model, int step) throws IOException {
        MossBatch batch = new MossBatch();
        model.change(random, batch, 1 + random.nextInt(12), KEYS, step);
        engine.write(batch, WriteOptions.NONE);
        switch (random.nextInt(8)) {
            case 0 -> seal(engine.store());
            case 1 -> engine.store().merger.step();
            case 2 -> engine.compact();
            default -> {}
        }
    }

    private static void seal(Store store) {
        store.lock.lock();
        try {
            store.seal();
        } finally {
            store.lock.unlock();
        }
    }
}
