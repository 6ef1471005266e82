package dev.caskwright.api.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class MemoryWaitTest {
    private int taken;

    @Test
    void aStepIsTakenAgainWhileMemoryIsWanting() throws IOException {
        MemoryWait.retry(() -> {
            if (++taken < 5) {
                throw new OutOfMemoryError("planted");
            }
        });
        assertThat(taken).isEqualTo(5);
    }

    @Test
    void anyOtherFailureIsFinal() {
        assertThatThrownBy(() -> MemoryWait.retry(() -> {
                    taken++;
                    throw new IOException("planted");
                }))
                .isInstanceOf(IOException.class);
        assertThat(taken).isEqualTo(1);
    }

    @Test
    void theLastAttemptGivesUp() {
        OutOfMemoryError wanting = new OutOfMemoryError("planted");
        MemoryWait.pause(1, wanting);
        assertThatThrownBy(() -> MemoryWait.pause(MemoryWait.MOST_ATTEMPTS, wanting))
                .isSameAs(wanting);
    }
}
