package dev.caskwright.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Finding formats by their names, and parts by theirs. */
final class ForeignFormatTest {
    @TempDir
    private Path directory;

    /** As if the jar of an optional format were in lib, and not that of its library. */
    @Test
    void aFormatThatCannotBeLoadedDoesNotTakeTheOthersAway() throws Exception {
        Path services = Files.createDirectories(directory.resolve("META-INF/services"));
        Files.writeString(services.resolve(ForeignFormat.class.getName()), "missing.Format\n");
        URL own = ForeignFormat.class.getProtectionDomain().getCodeSource().getLocation();
        URL[] places = {own, directory.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(places, ClassLoader.getPlatformClassLoader())) {
            Method named = loader.loadClass(ForeignFormat.class.getName()).getMethod("named", String.class);
            assertThat((Optional<?>) named.invoke(null, "leveldb")).isPresent();
            assertThatThrownBy(() -> named.invoke(null, "another")).hasCauseInstanceOf(ServiceConfigurationError.class);
        }
    }

    @Test
    void aNameIsThatOfOnePartOnly() {
        assertThat(Parts.name("имя".getBytes(StandardCharsets.UTF_8))).isEqualTo("имя");
        assertThat(Parts.name(new byte[] {'a', '\\', 'x', '0', '1'})).isEqualTo("a\\\\x01");
        assertThat(Parts.name(new byte[] {'a', 1})).isEqualTo("a\\x01");
        assertThat(Parts.name(new byte[] {(byte) 0xFF, '\\'})).isEqualTo("\\xff\\\\");
        assertThat(Parts.name(new byte[] {(byte) 0xFE})).isEqualTo("\\xfe");
    }

    @Test
    void snappyTakesNoMoreMemoryThanThatManyBytesCanStandFor() throws IOException {
        byte[] packed = new byte[100_000_000]; // says that it has 2,199,999,999
        int[] length = {0xFF, 0xBB, 0x84, 0x99, 0x08};
        for (int i = 0; i < length.length; i++) {
            packed[i] = (byte) length[i];
        }
        assertThat(Snappy.unpack(packed, 0, packed.length)).isNull();
    }
}
