package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.segmented.SegmentedLog;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class NewFilesTest {
    private final AtomicBoolean isOver = new AtomicBoolean();

    /** Statistics counted it as one that is not encrypted, and its history was that of no opening. */
    @Test
    void noFileIsSeenBeforeItsKeyIsKnown() throws Exception {
        SegmentedLog log = open();
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            CountDownLatch started = new CountDownLatch(1);
            Future<Boolean> isSeen = other.submit(() -> {
                started.countDown();
                return isSeenWithout(log);
            });
            started.await();
            RecordDraft draft = log.newDraft();
            for (int version = 1; version <= 10_000 && !isSeen.isDone(); version++) {
                draft.put(new byte[8], new byte[8], 0);
                log.append(draft, version, false);
                DataFile file = (DataFile) log.active();
                assertThat(file).isNotNull();
                log.leaveActive();
                log.fileSlots().remove(file); // so that the other thread looks at few
            }
            isOver.set(true);
            assertThat(isSeen.get()).isFalse();
        } finally {
            isOver.set(true);
            other.shutdown();
        }
    }

    private boolean isSeenWithout(SegmentedLog log) {
        while (!isOver.get()) {
            for (DataFile file : log.fileSlots().all()) {
                if (file != null && (file.key() == null || file.history() == 0)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static SegmentedLog open() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        RecordLogOpening opening = new SegmentedLogFactory()
                .open(
                        disk,
                        disk,
                        new RecordLogOptions(
                                1 << 20,
                                false,
                                true,
                                () -> 1,
                                task -> {},
                                () -> {},
                                () -> {},
                                cause -> {},
                                null,
                                false,
                                Encryption.writing("one", id -> new byte[32])));
        opening.finish();
        return (SegmentedLog) opening.log();
    }
}
