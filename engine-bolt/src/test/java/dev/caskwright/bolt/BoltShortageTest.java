package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoHook;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Trouble that passes is not the end of a database: what changed nothing is not applied, and the next call goes on. */
final class BoltShortageTest {
    private static final Path SIMULATED = Path.of("/simulated/shortage.db");
    private static final byte[] BUCKET = "bucket".getBytes(UTF_8);

    @TempDir
    Path directory;

    private static Bucket bucket(BoltTransaction transaction) throws IOException {
        return Objects.requireNonNull(transaction.bucket(BUCKET));
    }

    private static TreeMap<String, String> content(BoltDatabase database) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        database.view(transaction -> {
            Bucket bucket = transaction.bucket(BUCKET);
            if (bucket != null) {
                bucket.forEach((key, value) -> content.put(new String(key, UTF_8), new String(value, UTF_8)));
            }
        });
        return content;
    }

    /** Descriptors are used up at each call that needs one, for one call, some calls, or many. */
    private static final class Shortage implements IoHook {
        private static final Set<IoOperation> NEED_ONE = EnumSet.of(
                IoOperation.LIST, IoOperation.LOCK, IoOperation.OPEN, IoOperation.CREATE, IoOperation.SYNC_DIRECTORY);

        private final long from;
        private final long to;
        private long calls;

        Shortage(long from, long length) {
            this.from = from;
            this.to = from + length;
        }

        @Override
        public void before(IoCall call) throws IOException {
            if (NEED_ONE.contains(call.operation()) && calls++ >= from && calls <= to) {
                throw new EngineException(
                        ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "no descriptors (planted): " + call, null);
            }
        }
    }

    /** Opens, writes, compacts, copies and closes, three times; each call is tried until it is done. */
    private static final class Life {
        private final CrashableIoManager disk = new CrashableIoManager().logging(false);
        private final TreeMap<String, String> model = new TreeMap<>();
        private final BoltBuilder builder;
        private final Random random;
        private int copies;

        Life(Shortage shortage, long seed) {
            builder = BoltDatabase.builder(SIMULATED).pageSize(512).io(shortage.wrap(disk.factory()));
            random = new Random(seed);
        }

        private interface Call {
            void run() throws IOException;
        }

        private static void insist(Call call) throws IOException {
            while (true) {
                try {
                    call.run();
                    return;
                } catch (EngineException e) {
                    if (e.code() != ErrorCode.UNAVAILABLE || e.outcome() != Outcome.NOT_APPLIED) {
                        throw e;
                    }
                }
            }
        }

        void live() throws IOException {
            for (int opening = 0; opening < 3; opening++) {
                BoltDatabase[] opened = new BoltDatabase[1];
                insist(() -> opened[0] = builder.open());
                BoltDatabase database = opened[0];
                for (int i = 0; i < 12; i++) {
                    step(database);
                    assertThat(database.health()).isNull();
                    assertThat(content(database)).isEqualTo(model);
                }
                insist(database::close);
            }
            try (BoltDatabase database =
                    BoltDatabase.builder(SIMULATED).io(disk.factory()).open()) {
                assertThat(content(database)).isEqualTo(model);
                assertThat(database.check().problems()).isEmpty();
            }
        }

        private void step(BoltDatabase database) throws IOException {
            switch (random.nextInt(8)) {
                case 0 -> insist(() -> database.compact(3));
                case 1 -> copy(database::copyTo);
                case 2 -> copy(database::compactTo);
                case 3 -> {
                    insist(() -> database.batch(transaction ->
                            transaction.createBucketIfNotExists(BUCKET).deleteRange("key2".getBytes(UTF_8), null)));
                    model.tailMap("key2", true).clear();
                }
                default -> {
                    String key = "key" + random.nextInt(40);
                    String value = "v".repeat(random.nextInt(4_000));
                    insist(() -> database.update(transaction -> transaction
                            .createBucketIfNotExists(BUCKET)
                            .put(key.getBytes(UTF_8), value.getBytes(UTF_8))));
                    model.put(key, value);
                }
            }
        }

        private interface Copying {
            void to(Path target) throws IOException;
        }

        private void copy(Copying copying) throws IOException {
            Path target = SIMULATED.resolveSibling("copy" + copies++ + ".db");
            insist(() -> copying.to(target)); // again under the same name: nothing is left of one that failed
            try (BoltDatabase copy =
                    BoltDatabase.builder(target).io(disk.factory()).open()) {
                assertThat(content(copy)).isEqualTo(model);
                assertThat(copy.check().problems()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 2", "40, 7"})
    void aShortageOfDescriptorsAtAnyCallPasses(int length, int step) throws IOException {
        runShort(5, length, step);
    }

    /** For {@code -Dcaskwright.bolt.seeds}. */
    @Test
    @Tag("campaign")
    void shortagesOfLongerCampaignsPass() throws IOException {
        int lives = 0;
        for (long seed : CampaignSeeds.get()) {
            for (int length : new int[] {1, 2, 5, 30}) {
                lives += runShort(seed, length, 1);
            }
            System.out.println("bolt shortages: seed=" + seed + ", lives so far=" + lives);
        }
    }

    private static int runShort(long seed, int length, int step) throws IOException {
        int lives = 0;
        for (long from = 0; ; from += step) {
            Shortage shortage = new Shortage(from, length);
            try {
                new Life(shortage, seed).live();
                lives++;
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError("seed=" + seed + ", from=" + from + ", length=" + length, e);
            }
            if (shortage.calls < shortage.to) {
                return lives;
            }
        }
    }

    /** Refuses some mappings, as a system does that has no more address space or mappings for the process. */
    private static final class FewMappings extends ForwardingIoManager {
        private final AtomicInteger refusals;

        FewMappings(IoManager manager, AtomicInteger refusals) {
            super(manager);
            this.refusals = refusals;
        }

        @Override
        public PagedFile openPaged(String name, boolean create) throws IOException {
            return new Refusing(super.openPaged(name, create), refusals);
        }

        private static final class Refusing extends ForwardingWritableFile implements PagedFile {
            private final PagedFile file;
            private final AtomicInteger refusals;

            Refusing(PagedFile file, AtomicInteger refusals) {
                super(file);
                this.file = file;
                this.refusals = refusals;
            }

            @Override
            public void grow(long length) throws IOException {
                file.grow(length);
            }

            @Override
            public @Nullable ByteBuffer map(long offset, int length) throws IOException {
                if (refusals.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                    throw new IOException("Map failed (planted)");
                }
                return file.map(offset, length);
            }
        }
    }

    /** As bbolt#262 and boltdb#706: the file had become longer, its map had not, and what came next read beyond the map. */
    @Test
    void aFileThatCouldNotBeMappedAfterItGrewIsMappedByTheNextCommit() throws IOException {
        AtomicInteger refusals = new AtomicInteger();
        IoManagerFactory io = (path, create) -> new FewMappings(MmapIoManager.open(path, create), refusals);
        try (BoltDatabase database =
                BoltDatabase.builder(directory.resolve("map.db")).io(io).open()) {
            database.update(transaction -> transaction.createBucket(BUCKET).put("a".getBytes(UTF_8), new byte[100]));
            refusals.set(1);
            assertThatThrownBy(() -> database.update(
                            transaction -> bucket(transaction).put("large".getBytes(UTF_8), new byte[300_000])))
                    .isInstanceOfSatisfying(EngineException.class, e -> {
                        assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED);
                        assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
                    });
            assertThat(database.health()).isNull();
            database.update(transaction -> bucket(transaction).put("large".getBytes(UTF_8), new byte[300_000]));
            database.view(transaction ->
                    assertThat(bucket(transaction).get("large".getBytes(UTF_8))).hasSize(300_000));
            assertThat(database.check().problems()).isEmpty();
        }
    }

    /** The list is read when the file is opened, and what its header says later is not believed. */
    @Test
    void aFreelistPageThatIsDamagedWhileTheFileIsOpenFreesNothingElse() throws IOException {
        Path file = directory.resolve("list.db");
        try (BoltDatabase database = BoltDatabase.builder(file).pageSize(512).open()) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucket(BUCKET);
                for (int i = 0; i < 200; i++) {
                    bucket.put(("key" + i).getBytes(UTF_8), new byte[50]);
                }
            });
            long freelist;
            try (BoltFile pages = BoltFile.open(file, StandardIoManager::open)) {
                freelist = pages.metas().get(0).freelist();
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {7, 0, 0, 0}), freelist * 512 + 12);
            }
            for (int i = 0; i < 20; i++) {
                String key = "key" + i;
                database.update(transaction -> bucket(transaction).put(key.getBytes(UTF_8), new byte[51]));
            }
            assertThat(database.check().problems()).isEmpty();
            assertThat(content(database)).hasSize(200);
        }
    }

    /** While one waits for the lock, its holder may put a compact copy in the place of the file. */
    @Test
    void aFileThatTakesTheNameBeforeTheLockIsTakenIsTheOneThatIsWritten() throws IOException {
        Path file = directory.resolve("store.db");
        Path other = directory.resolve("other.db");
        for (Path each : new Path[] {file, other}) {
            try (BoltDatabase database = BoltDatabase.open(each)) {
                database.update(transaction -> transaction.createBucket(BUCKET));
            }
        }
        IoManagerFactory io = (path, create) -> new ForwardingIoManager(StandardIoManager.open(path, create)) {
            @Override
            public Lock lockFile(String name, boolean exclusive) throws IOException {
                Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
                return super.lockFile(name, exclusive);
            }
        };
        try (BoltDatabase database = BoltDatabase.builder(file).io(io).open()) {
            database.update(transaction -> bucket(transaction).put("key".getBytes(UTF_8), "value".getBytes(UTF_8)));
        }
        try (BoltDatabase database = BoltDatabase.open(file)) {
            assertThat(content(database)).containsOnlyKeys("key");
        }
    }

    /** No room, as on file systems that write nothing in place; no memory, as in the middle of a write. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void wantOfRoomOrMemoryForPagesRefusesThatCommitOnly(boolean isMemory) throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        AtomicInteger refusals = new AtomicInteger();
        IoHook full = call -> {
            if (call.operation() == IoOperation.WRITE && refusals.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                if (isMemory) {
                    throw new OutOfMemoryError("planted");
                }
                throw new OutOfSpaceException("no room (planted)", null);
            }
        };
        try (BoltDatabase database = BoltDatabase.builder(SIMULATED)
                .pageSize(512)
                .io(full.wrap(disk.factory()))
                .open()) {
            database.update(transaction -> transaction.createBucket(BUCKET).put("a".getBytes(UTF_8), new byte[10]));
            for (int i = 0; i < 10; i++) {
                refusals.set(1);
                byte[] value = new byte[i + 20];
                assertThatThrownBy(() -> database.update(
                                transaction -> bucket(transaction).put("a".getBytes(UTF_8), value)))
                        .isInstanceOfSatisfying(
                                EngineException.class,
                                e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
                assertThat(database.health()).isNull();
                database.update(transaction -> bucket(transaction).put("a".getBytes(UTF_8), value));
                assertThat(database.check().problems()).isEmpty();
            }
        }
    }
}
