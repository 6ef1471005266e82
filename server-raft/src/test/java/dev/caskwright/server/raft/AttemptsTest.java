package dev.caskwright.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When something that fails is tried again. */
final class AttemptsTest {
    private final Attempts attempts = new Attempts();

    /** Returns how many looks go by before it is tried. */
    private int looks() {
        int looks = 0;
        while (!attempts.begin()) {
            looks++;
        }
        return looks;
    }

    @Test
    void eachFailureInARowDoublesThePauseUpToABound() {
        assertThat(looks()).isZero();
        for (int pause = 1; pause <= Attempts.MOST_LOOKS; pause *= 2) {
            attempts.ended(true);
            assertThat(looks()).isEqualTo(pause);
        }
        attempts.ended(true);
        assertThat(looks()).isEqualTo(Attempts.MOST_LOOKS);
        attempts.ended(false);
        assertThat(looks()).isZero();
        attempts.ended(true);
        assertThat(looks()).isEqualTo(1);
    }

    @Test
    void nothingIsTriedTwiceAtATime() {
        assertThat(attempts.begin()).isTrue();
        assertThat(attempts.begin()).isFalse();
        attempts.ended(false);
        assertThat(attempts.begin()).isTrue();
    }
}
