package dev.caskwright.api.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class CausesTest {
    private final IllegalStateException cause = new IllegalStateException("first");

    @Test
    void aCauseTellsOfWhatCameLaterButNotOfItself() {
        IOException later = new IOException("later");
        Causes.add(cause, later);
        Causes.add(cause, cause);
        assertThat(cause.getSuppressed()).containsExactly(later);
    }

    @Test
    void whatClosingThrowsIsTold() {
        IOException failed = new IOException("not closed");
        IllegalArgumentException refused = new IllegalArgumentException("closed before");
        Causes.closeAfter(cause, () -> {});
        Causes.closeAfter(cause, () -> {
            throw failed;
        });
        Causes.closeAfter(cause, () -> {
            throw refused;
        });
        assertThat(cause.getSuppressed()).containsExactly(failed, refused);
    }
}
