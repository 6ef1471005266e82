package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.OutOfSpaceException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FailuresTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "No space left on device",
                "/a/b: No space left on device",
                "Disk quota exceeded",
                "Quota exceeded",
                "File too large",
                "There is not enough space on the disk"
            })
    void aFullDiskHasItsOwnType(String text) {
        IOException cause = new IOException(text);
        Path file = directory.resolve("a");
        assertThat(Failures.ofChange("write failed", file, 12, 345, cause))
                .isInstanceOf(OutOfSpaceException.class)
                .hasMessage("write failed: file=" + file + ", offset=12, length=345, reason=" + text)
                .hasCause(cause);
        assertThat(Failures.ofNameChange("create failed", file, cause))
                .isInstanceOf(OutOfSpaceException.class)
                .hasMessage("create failed: file=" + file + ", reason=" + text)
                .hasCause(cause);
    }

    @Test
    void anyOtherRefusalNamesTheFile() {
        IOException cause = new IOException("Input/output error");
        Path file = directory.resolve("a");
        assertThat(Failures.ofChange("write failed", file, 12, 345, cause))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("write failed: file=" + file + ", offset=12, length=345, reason=Input/output error")
                .hasCause(cause);
        assertThat(Failures.ofNameChange("create failed", file, cause)).isSameAs(cause);
        assertThat(Failures.ofRead(file, 12, 345, cause))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("read failed: file=" + file + ", offset=12, length=345, reason=Input/output error")
                .hasCause(cause);
    }

    @Test
    void anErrorWithoutATextIsNamedByItsType() {
        assertThat(Failures.ofRead(directory, 0, 0, new IOException())).hasMessageContaining("reason=IOException");
    }

    @Test
    void whenTheFileSystemDoesNotAnswerEitherTheFirstErrorIsReported() {
        IOException cause = new IOException("Input/output error");
        assertThat(Failures.ofNameChange("create failed", directory.resolve("missing/a"), cause))
                .isSameAs(cause);
        assertThat(cause.getSuppressed()).hasSize(1);
    }
}
