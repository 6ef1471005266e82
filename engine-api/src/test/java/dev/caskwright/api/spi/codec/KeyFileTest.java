package dev.caskwright.api.spi.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeyFileTest {
    @TempDir
    private Path temporary;

    private KeyFile read(String content) throws IOException {
        return KeyFile.read(Files.writeString(temporary.resolve("keys"), content));
    }

    @Test
    void theLastKeyIsTheOneToWriteWithUnlessAnotherIsNamed() throws IOException {
        KeyFile keys = read("# two\n\na=" + "01".repeat(16) + "\n  b==2 = " + "fE".repeat(64) + "  \n");
        assertThat(keys.encryption(null).keyId()).isEqualTo("b==2");
        assertThat(keys.encryption("a").keyId()).isEqualTo("a");
        assertThat(keys.encryption(KeyFile.NONE).keyId()).isNull();
        assertThatThrownBy(() -> keys.encryption("c")).isInstanceOf(IllegalArgumentException.class);
        assertThat(keys.key("a")).hasSize(16).containsOnly(1);
        assertThat(keys.key("b==2")).hasSize(64).containsOnly(0xFE);
        assertThat(keys.key("c")).isNull();
    }

    /** As editors of Windows leave it, or none does. */
    @Test
    void endsOfLinesAndTheMarkAtTheStartDoNotMatter() throws IOException {
        String key = "01".repeat(16);
        for (String content : new String[] {
            "a=" + key, "\uFEFFa=" + key, "\uFEFF# ours\r\na=" + key + "\r\n", "# ours\ra = " + key + "\r\r"
        }) {
            assertThat(read(content).key("a")).as(content).hasSize(16);
        }
        Path file = temporary.resolve("latin");
        Files.write(file, ("# \u00e4\na=" + key).getBytes(StandardCharsets.ISO_8859_1));
        assertThat(KeyFile.read(file).key("a")).hasSize(16);
    }

    @Test
    void aFileThatIsNoneOfKeysIsNotReadToItsEnd() {
        assertThatThrownBy(() -> read("# ".repeat(1 << 20)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("too long");
    }

    @Test
    void aBadLineIsNamedByItsNumberWithoutTheKey() {
        String good = "a=" + "01".repeat(16) + "\n";
        for (String bad : new String[] {
            "b",
            "b=",
            "b=0",
            "b=" + "01".repeat(15),
            "b=" + "01".repeat(65),
            "b=" + "0x".repeat(16),
            "none=" + "01".repeat(16),
            "a=" + "02".repeat(16),
            "=" + "01".repeat(16),
            "b c=" + "01".repeat(16),
            "b".repeat(65) + "=" + "01".repeat(16)
        }) {
            assertThatThrownBy(() -> read(good + bad))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("line 2 ")
                    .hasMessageNotContaining("0101");
        }
        assertThatThrownBy(() -> read("# none\n")).hasMessage("there is no key in the file");
        assertThatThrownBy(() -> KeyFile.read(temporary.resolve("missing")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be read");
    }

    @Test
    void idsHaveNoSpacesAndEndSomewhere() {
        Encryption.Keys none = id -> null;
        assertThat(Encryption.writing("x".repeat(64), none).keyId()).hasSize(64);
        for (String bad : new String[] {"", "x".repeat(65), "a b", "ä", "a\n"}) {
            assertThatThrownBy(() -> Encryption.writing(bad, none))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
