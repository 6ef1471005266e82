package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Verification looks at every byte of the records of a store, padding included, which no checksum covers. */
final class VerifiedBytesTest {
    private static final Path HOME = Path.of("store");
    private static final int KEYS = 9;
    private static final int HEADER = 64;
    private static final int RECORD_HEADER = 24;

    private final ManualClock clock = new ManualClock();

    @Test
    void everyByteOfAMergedFileIsLookedAt() throws IOException {
        CrashableIoManager disk = store(true);
        String name = only(disk, ".merged");
        byte[] bytes = disk.content(name);
        for (int at = 0; at < bytes.length; at++) {
            assertThat(isSound(flipped(disk, name, at))).as("byte %d", at).isFalse();
        }
    }

    @Test
    void paddingThatChangedIsToldAndLosesNothing() throws IOException {
        CrashableIoManager disk = store(false);
        String name = only(disk, ".data");
        int padding = HEADER + RECORD_HEADER + key(0).length; // of a record with an empty value
        assertThat(padding % 8).as("there is padding").isNotZero();
        CrashableIoManager changed = flipped(disk, name, padding);
        assertThat(BitcaskEngine.verify(HOME, changed.factory(HOME)).damages())
                .singleElement()
                .satisfies(damage -> {
                    assertThat(damage.file()).isEqualTo(name);
                    assertThat(damage.offset()).isEqualTo(HEADER);
                    assertThat(damage.what()).contains("padding");
                });
        try (BitcaskEngine engine = CrashFixture.open(changed, clock)) {
            for (int i = 0; i < KEYS; i++) {
                assertThat(engine.get(key(i))).isEqualTo(new byte[i]);
            }
        }
    }

    private CrashableIoManager store(boolean isMerged) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), clock)
                .maxFileBytes(64 << 10)
                .imageEveryBytes(0)
                .open()) {
            for (int i = 0; i < KEYS; i++) {
                engine.put(key(i), new byte[i]);
            }
            if (isMerged) {
                engine.merge();
            }
        }
        return disk;
    }

    private static byte[] key(int i) {
        return KeyValues.bytes("key " + i);
    }

    private static String only(CrashableIoManager disk, String suffix) throws IOException {
        List<String> names = disk.factory(HOME).open(HOME, false).list().stream()
                .filter(name -> name.endsWith(suffix))
                .toList();
        assertThat(names).hasSize(1);
        return names.get(0);
    }

    private static CrashableIoManager flipped(CrashableIoManager disk, String name, int at) throws IOException {
        CrashableIoManager changed = disk.peekKill();
        byte[] bytes = disk.content(name).clone();
        bytes[at] ^= 1;
        changed.install(name, bytes);
        return changed;
    }

    private static boolean isSound(CrashableIoManager disk) throws IOException {
        try {
            return BitcaskEngine.verify(HOME, disk.factory(HOME)).isSound();
        } catch (UnsupportedFormatException e) {
            return false;
        }
    }
}
