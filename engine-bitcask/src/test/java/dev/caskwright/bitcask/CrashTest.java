package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Crashes at every call of random lives of a store, in many ways each, and has a model judge what is found afterwards.
 *
 * <p>Before each call to the disk, images of it are taken: as a kill leaves it, and as power losses may. Each image is
 * opened, judged, written to and lost once more. Some are opened with images taken at every call of the recovery, too.
 * {@code -Dcaskwright.crash.seeds} sets how many lives the campaign tries, from {@code -Dcaskwright.crash.firstSeed} on.
 */
final class CrashTest {
    private static final int STEPS = 60;

    @Test
    void shortLivesSurviveEveryCrash() throws IOException {
        long states = 0;
        long images = 0;
        for (int seed = 0; seed < 8; seed++) {
            // The last one is encrypted, which takes long without the second compiler.
            Life life = new Life(seed, seed < 7 ? STEPS : STEPS / 2, 6, 40);
            life.live();
            states += life.judge.states();
            images += life.judge.openedFromImages();
        }
        assertThat(states).isGreaterThan(5_000);
        assertThat(images).isGreaterThan(1_000);
    }

    @Test
    @Tag("campaign")
    void manyLivesSurviveEveryCrash() throws IOException {
        long first = Long.getLong("caskwright.crash.firstSeed", 1_000);
        long seeds = Long.getLong("caskwright.crash.seeds", 200);
        long states = 0;
        long images = 0;
        for (long seed = first; seed < first + seeds; seed++) {
            Life life = new Life(seed, 150, 12, 25);
            life.live();
            states += life.judge.states();
            images += life.judge.openedFromImages();
            System.out.println("crash campaign: seeds=" + first + ".." + seed + ", states judged=" + states
                    + ", opened from images=" + images);
        }
    }

    /** One random life of a store. */
    private static final class Life {
        private final long seed;
        private final boolean hasCodec; // values are stored by a codec, and merges recode them
        private final boolean isEncrypted; // by another key each time the store is opened
        private int openings;
        private final int steps;
        private final int images;
        private final long maxFileBytes;
        private final long imageEveryBytes;
        private final Random random;
        private final ManualClock clock = new ManualClock();
        private final StoreModel model;
        private final RandomHistory history;
        private final CrashableIoManager disk;
        private final CrashJudge judge;
        private final Deque<Runnable> background = new ArrayDeque<>();
        private final boolean hasBackground;
        private final boolean hasSmallImages;
        private @Nullable BitcaskEngine current;
        private boolean isWritingBesideSaves;

        Life(long seed, int steps, int images, int recoveryEvery) {
            this.seed = seed;
            this.hasCodec = seed % 3 == 1;
            this.isEncrypted = seed % 8 == 7;
            this.steps = steps;
            this.images = images;
            this.random = new Random(~seed);
            this.hasBackground = random.nextBoolean();
            this.hasSmallImages = random.nextInt(3) != 0;
            this.maxFileBytes = random.nextInt(3) == 0 ? 400 + random.nextInt(3_000) : CrashFixture.SMALL_FILES;
            this.imageEveryBytes = random.nextInt(4) == 0 ? Long.MAX_VALUE : 1 + random.nextInt(2_000);
            this.model = new StoreModel(Durability.WRITE, clock);
            this.history = new RandomHistory(seed, model, clock)
                    .keys(2 + random.nextInt(50))
                    .values(random.nextBoolean() ? 30 : 300, false);
            if (hasCodec) {
                history.codecs("found", ValueCodec.NONE);
            }
            this.disk = new CrashableIoManager().mapped(random.nextBoolean()).logging(false);
            this.judge = new CrashJudge(disk, model, clock, random, recoveryEvery, this::builder);
        }

        void live() throws IOException {
            disk.observer(this::crashBefore);
            BitcaskEngine engine = openForLife();
            for (int i = 0; i < steps; i++) {
                if (random.nextInt(3) == 0) {
                    runBackground();
                }
                int choice = random.nextInt(100);
                if (choice < 4) {
                    history.forgetSnapshots();
                    engine.close();
                    engine = openForLife();
                    model.reopened(CrashFixture.content(engine));
                } else if (choice < 7) {
                    judge.backup(engine);
                } else {
                    history.step(engine);
                }
            }
            model.assertCurrent(CrashFixture.content(engine));
            if (engine.health() != null) {
                throw new AssertionError(history + ": " + engine.health(), engine.health());
            }
            engine.close();
            crashBefore(null);
        }

        /** Opens the store, sometimes with sealing and merges of chosen files between the steps. */
        private BitcaskEngine openForLife() throws IOException {
            if (!hasBackground) {
                return builder(disk).open();
            }
            background.clear();
            BitcaskEngine engine = builder(disk)
                    .index(context -> hasSmallImages ? new SmallImageIndex(this::write) : new HashKeyIndex(context))
                    .executor(background::add)
                    .autoMerge(true)
                    .maxSpaceAmplification(1.2)
                    .open();
            current = engine;
            return engine;
        }

        /** Writes while an image is being saved in the background, now and then. */
        private void write() throws IOException {
            BitcaskEngine engine = current;
            if (isWritingBesideSaves && engine != null && random.nextInt(4) == 0) {
                history.merging(false);
                history.step(engine);
                history.merging(true);
            }
        }

        private void runBackground() {
            isWritingBesideSaves = true;
            runAll();
            isWritingBesideSaves = false;
        }

        private void runAll() {
            while (!background.isEmpty()) {
                background.remove().run();
            }
        }

        private EngineBuilder builder(CrashableIoManager onto) {
            EngineBuilder builder = CrashFixture.builder(HOME, onto.factory(HOME), clock);
            if (hasCodec) {
                builder.codec(new FoundCodec()).recodeOnMerge(seed % 2 == 0);
            }
            if (isEncrypted) {
                builder.encryption(Encryption.writing("key" + openings++ % 2, EncryptionTest::key));
            }
            return builder.index(context -> hasSmallImages ? new SmallImageIndex(() -> {}) : new HashKeyIndex(context))
                    .imageEveryBytes(imageEveryBytes)
                    .maxFileBytes(maxFileBytes);
        }

        private void crashBefore(IoCall call) {
            String place = "seed=" + seed + ", " + history + ", " + call;
            try {
                for (int image = 0; image < images; image++) {
                    long imageSeed = image < 5 && random.nextInt(4) != 0 ? image : random.nextLong(5, Long.MAX_VALUE);
                    judge.judgePowerLoss(place + ", image=" + imageSeed, imageSeed);
                }
                judge.judgeKill(place + ", killed");
            } catch (IOException | RuntimeException e) {
                throw new AssertionError(place, e);
            }
        }
    }
}
