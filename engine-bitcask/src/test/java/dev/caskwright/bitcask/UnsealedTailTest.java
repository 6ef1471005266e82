package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static dev.caskwright.testkit.KeyValues.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FailedForce;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stores that are killed while files that writers have left wait to be sealed. */
final class UnsealedTailTest {
    private final ManualClock clock = new ManualClock();

    /** Nothing runs in the background, so nothing is sealed there. */
    private BitcaskEngine open(CrashableIoManager disk) throws IOException {
        return CrashFixture.builder(disk.factory(HOME), clock)
                .executor(task -> {})
                .open();
    }

    private static Map<String, String> contents(CrashableIoManager disk) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        for (String name : disk.list()) {
            contents.put(name, HexFormat.of().formatHex(disk.content(name)));
        }
        return contents;
    }

    private static long dataFiles(CrashableIoManager disk) throws IOException {
        return disk.list().stream().filter(name -> name.endsWith(".data")).count();
    }

    /** The last write is synced, in the third file, and nothing comes after it that could be a witness. */
    private CrashableIoManager killedBehindASyncedWrite() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        BitcaskEngine engine = open(disk);
        for (int i = 0; dataFiles(disk) < 3; i++) {
            engine.put(KeyValues.key(i), new byte[100]);
        }
        engine.put(bytes("synced"), bytes("1"), WriteOptions.SYNC);
        return disk.kill();
    }

    @Test
    void damageBeforeASyncedRecordInALaterFileIsNeverTheEndOfTheLog() throws IOException {
        CrashableIoManager killed = killedBehindASyncedWrite();
        try (BitcaskEngine whole = open(killed.peekKill())) {
            assertThat(whole.get(bytes("synced"))).isEqualTo(bytes("1"));
        }
        for (String name : new String[] {"00000001.data", "00000002.data"}) {
            byte[] content = killed.content(name);
            for (int at = 0; at < content.length; at++) {
                CrashableIoManager damaged = killed.peekKill();
                byte[] bytes = content.clone();
                bytes[at] ^= 0x10;
                damaged.install(name, bytes);
                assertRefusedOrWhole(damaged, name + " at " + at);
            }
            CrashableIoManager missing = killed.peekKill();
            missing.delete(name);
            assertRefusedOrWhole(missing, name + " is missing");
        }
    }

    /** Bytes that are in no checksum may be damaged: then all is there. */
    private void assertRefusedOrWhole(CrashableIoManager disk, String damage) throws IOException {
        Map<String, String> before = contents(disk);
        try (BitcaskEngine engine = open(disk)) {
            assertThat(engine.get(bytes("synced"))).as(damage).isEqualTo(bytes("1"));
            assertThat(engine.get(KeyValues.key(0))).as(damage).hasSize(100);
            assertThat(engine.stats().opening().tornBytesCut()).as(damage).isZero();
        } catch (CorruptRecordException | UnsupportedFormatException e) {
            assertThat(contents(disk)).as(damage).isEqualTo(before);
        }
    }

    /** A power loss before the force may leave any part of any file; that is never refused. */
    @Test
    void whatWasNotSyncedMayBeLostInAnyOrder() throws IOException {
        for (int synced = 0; synced < 6; synced++) {
            CrashableIoManager disk = new CrashableIoManager();
            BitcaskEngine engine = open(disk);
            for (int i = 0; dataFiles(disk) < 4; i++) {
                engine.put(KeyValues.key(i), new byte[100], i == synced ? WriteOptions.SYNC : WriteOptions.WRITE);
            }
            for (long seed = 0; seed < 200; seed++) {
                try (BitcaskEngine found = open(disk.peekPowerLoss(seed))) {
                    for (int i = 0; i <= synced; i++) {
                        assertThat(found.get(KeyValues.key(i)))
                                .as("seed=%s, key=%s", seed, i)
                                .hasSize(100);
                    }
                }
            }
        }
    }

    /** The header of a file whose first force failed is in the page cache only, and another force would skip it. */
    @ParameterizedTest
    @EnumSource(FailedForce.class)
    void theHeaderOfAFileWhoseFirstForceFailedIsWrittenAnew(FailedForce model) throws IOException {
        for (int failing = 1; failing < 4; failing++) {
            CrashableIoManager disk = new CrashableIoManager().failedForce(model);
            open(disk).close();
            FaultPlan plan = FaultPlan.failing(failing).only(IoOperation.FORCE); // the first is that of the manifest
            BitcaskEngine engine = CrashFixture.builder(HOME, plan.wrap(disk.factory(HOME)), clock)
                    .executor(task -> {})
                    .open();
            int count = 0;
            for (; dataFiles(disk) < failing; count++) {
                engine.put(KeyValues.key(count), new byte[100]);
            }
            assertThatThrownBy(engine::sync).isInstanceOf(EngineFailedException.class);
            CrashableIoManager killed = disk.kill();
            long seeds = 20;
            BitcaskEngine restarted = open(killed);
            boolean isFirstThere = restarted.get(KeyValues.key(0)) != null; // one model forgets what it could not write
            restarted.put(bytes("after"), bytes("1"), WriteOptions.SYNC);
            for (long seed = 0; seed < seeds; seed++) {
                try (BitcaskEngine found = open(killed.peekPowerLoss(seed))) {
                    assertThat(found.get(bytes("after"))).as("seed=%s", seed).isEqualTo(bytes("1"));
                    assertThat(found.get(KeyValues.key(0)) != null).isEqualTo(isFirstThere);
                }
            }
        }
    }

    /** Damage in the first file, known by a record of the third: what is cut by nobody can be salvaged. */
    @Test
    void anOpeningThatFailsCutsNothing() throws IOException {
        CrashableIoManager disk = killedBehindASyncedWrite();
        byte[] first = disk.content("00000001.data");
        Arrays.fill(first, 70, 80, (byte) 0x55);
        disk.install("00000001.data", first);
        Map<String, String> before = contents(disk);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> open(disk)).isInstanceOf(CorruptRecordException.class);
            assertThat(contents(disk)).isEqualTo(before);
        }
    }
}
