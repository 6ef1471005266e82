package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A writer of large values, a watch that is not fetched and one that reads the past have room in a heap that holds few of them. */
final class MvccSmallHeapTest {
    private static final int VALUES = 100;
    private static final int VALUE_LENGTH = 1 << 20;

    @TempDir
    Path directory;

    /** Runs in a heap of 64 MiB. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws Exception {
            Path file = Path.of(arguments[0]);
            try (MvccStore store = MvccStore.open(file)) {
                try (Watch live = store.watch(WatchRequest.of(KeyRange.all()))) {
                    for (int i = 0; i < VALUES; i++) {
                        store.put(("key" + i).getBytes(), new byte[VALUE_LENGTH]);
                    }
                    store.commit();
                    System.out.println("live " + fetch(live));
                }
            }
            try (MvccStore store = MvccStore.open(file);
                    Watch past = store.watch(WatchRequest.of(KeyRange.all()).fromRevision(2))) {
                System.out.println("past " + fetch(past));
            }
        }

        private static int fetch(Watch watch) throws Exception {
            int count = 0;
            for (WatchBatch batch = watch.poll(); batch != null; batch = watch.poll()) {
                count += batch.events().size();
            }
            return count;
        }
    }

    @Test
    void largeValuesNeedNoLargeHeap() throws Exception {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        directory.resolve("db").toString()))
                .redirectErrorStream(true)
                .start();
        String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(told).contains("live " + VALUES).contains("past " + VALUES);
    }
}
