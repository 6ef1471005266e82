package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every byte of every file of a small store is changed, one at a time: the store tells, or nothing is lost. */
final class DamageTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");

    private static MossBuilder builder(CrashableIoManager disk) {
        return MossEngine.builder(DIRECTORY)
                .io(disk.factory())
                .mergeOperator(new Append())
                .withoutThreads();
    }

    /**
     * Makes a store with files, a checkpoint, operands, ranges and a log, and notes what it held after each logged
     * batch.
     */
    private static CrashableIoManager store(List<Map<String, String>> states) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        MossEngine engine = builder(disk).open();
        for (int i = 0; i < 30; i++) {
            engine.put(bytes("key" + i), bytes("value" + i), WriteOptions.NONE);
        }
        engine.checkpoint("c");
        engine.merge(bytes("key7"), bytes("+"), WriteOptions.NONE);
        engine.deleteRange(bytes("key1"), bytes("key13"), WriteOptions.NONE);
        engine.flush();
        states.add(Model.content(engine, Range.all()));
        for (int i = 0; i < 4; i++) {
            engine.put(bytes("logged" + i), bytes("" + i), WriteOptions.SYNC);
            states.add(Model.content(engine, Range.all()));
        }
        return disk.kill();
    }

    @Test
    void noChangedByteGivesAWrongAnswer() throws IOException {
        List<Map<String, String>> states = new ArrayList<>();
        CrashableIoManager store = store(states);
        int told = 0;
        int changed = 0;
        for (String name : store.list()) {
            long length = store.length(name);
            for (long offset = 0; offset < length; offset++) {
                CrashableIoManager image = store.peekKill();
                flip(image, name, offset);
                changed++;
                if (isTold(image, states, name, name + " at " + offset)) {
                    told++;
                }
            }
        }
        assertThat(changed).isGreaterThan(1_300);
        assertThat(told).isGreaterThan(changed / 2);
    }

    private static void flip(CrashableIoManager image, String name, long offset) throws IOException {
        try (WritableFile file = image.openWritable(name)) {
            byte[] one = new byte[1];
            file.read(offset, one, 0, 1);
            one[0] ^= 0x20;
            file.write(offset, one, 0, 1);
        }
    }

    /**
     * Returns whether the damage was told. Only the last record of the log may be missing without a word: nobody can
     * tell it from a write that was torn.
     */
    private static boolean isTold(
            CrashableIoManager image, List<Map<String, String>> states, String name, String where) {
        try (MossEngine engine = builder(image).open()) {
            Map<String, String> content = Model.content(engine, Range.all());
            int least = name.startsWith("log") ? states.size() - 2 : states.size() - 1;
            assertThat(states.subList(least, states.size())).as(where).contains(content);
            return !engine.verify().isSound();
        } catch (EngineException e) {
            assertThat(e).as(where).hasMessageContaining("moss");
            return true;
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }
}
