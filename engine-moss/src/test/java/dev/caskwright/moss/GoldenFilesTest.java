package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store of format 1, written when the format was made, reads as it did then. {@link #main} wrote it. */
final class GoldenFilesTest {
    private static final List<String> FILES = List.of(
            "manifest.moss",
            "sorted-0000000000000001.moss",
            "sorted-0000000000000002.moss",
            "sorted-0000000000000003.moss",
            "log-000000000000001d.moss");

    @TempDir
    private Path temporary;

    private static MossBuilder builder(Path directory) {
        return MossEngine.builder(directory).mergeOperator(new Append());
    }

    /** Writes the files into a directory. */
    public static void main(String[] arguments) throws IOException {
        MossEngine engine = builder(Path.of(arguments[0])).withoutThreads().open();
        for (int i = 0; i < 20; i++) {
            engine.put(bytes("key" + i), bytes("value" + i), WriteOptions.NONE);
        }
        engine.child("casks").child("oak").put(bytes("age"), bytes("12"), WriteOptions.NONE);
        engine.checkpoint("first");
        engine.merge(bytes("key7"), bytes("+1"), WriteOptions.NONE);
        engine.deleteRange(bytes("key1"), bytes("key19"), WriteOptions.NONE);
        engine.flush();
        engine.put(bytes("logged"), bytes("1"), WriteOptions.SYNC);
        engine.write(new MossBatch().delete(bytes("key0")).merge(bytes("key7"), bytes("+2")), WriteOptions.SYNC);
        engine.closeNow();
    }

    @Test
    void aStoreOfFormat1IsRead() throws IOException {
        for (String name : FILES) {
            try (InputStream file = GoldenFilesTest.class.getResourceAsStream("golden-1/" + name)) {
                Files.copy(Objects.requireNonNull(file, name), temporary.resolve(name));
            }
        }
        try (MossEngine engine = builder(temporary).open()) {
            assertThat(Model.content(engine, Range.all()))
                    .hasToString("{key19=value19, key2=value2, key3=value3, key4=value4, key5=value5, key6=value6,"
                            + " key7=value7+1+2, key8=value8, key9=value9, logged=1}");
            assertThat(text(engine.child("casks").child("oak").get(bytes("age"))))
                    .isEqualTo("12");
            try (MossSnapshot first = engine.snapshot("first")) {
                assertThat(Model.content(first, Range.all())).hasSize(20).containsEntry("key7", "value7");
            }
            assertThat(engine.verify().isSound()).isTrue();
        }
    }
}
