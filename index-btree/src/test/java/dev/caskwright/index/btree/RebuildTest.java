package dev.caskwright.index.btree;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import org.junit.jupiter.api.Test;

final class RebuildTest {
    private static final int KEYS_PER_STEP = 4;

    private final Tree source = new Tree(6);
    private final Tree target = new Tree(6);
    private final Rebuild rebuild = new Rebuild(source, target, KEYS_PER_STEP);

    private void fill(int count) {
        for (int i = 0; i < count; i++) {
            change(i, i + 1);
        }
    }

    private void change(int number, long locator) {
        if (locator == KeyIndex.ABSENT) {
            source.map().remove(TreeTest.key(number));
        } else {
            source.map().put(TreeTest.key(number), locator);
        }
        rebuild.apply(TreeTest.key(number), locator);
    }

    private Long copy(int number) {
        return target.map().get(TreeTest.key(number));
    }

    @Test
    void eachStepCopiesAFewKeysUntilNoneIsLeft() {
        fill(2 * KEYS_PER_STEP + 1);
        assertThat(rebuild.target()).isSameAs(target);
        assertThat(rebuild.copied()).isZero();
        assertThat(rebuild.step()).isFalse();
        assertThat(rebuild.copied()).isEqualTo(KEYS_PER_STEP);
        assertThat(target.map().size()).isEqualTo(KEYS_PER_STEP);
        assertThat(rebuild.step()).isFalse();
        assertThat(rebuild.step()).isTrue();
        assertThat(rebuild.copied()).isEqualTo(2 * KEYS_PER_STEP + 1);
        for (int i = 0; i < 2 * KEYS_PER_STEP + 1; i++) {
            assertThat(copy(i)).isEqualTo(i + 1);
        }
    }

    @Test
    void theStepThatCopiesTheLastKeySaysSo() {
        fill(2 * KEYS_PER_STEP);
        assertThat(rebuild.step()).isFalse();
        assertThat(rebuild.step()).isTrue();
        assertThat(target.map().size()).isEqualTo(2 * KEYS_PER_STEP);
    }

    @Test
    void whatIsChangedBelowThePointReachedIsChangedInTheTargetToo() {
        fill(3 * KEYS_PER_STEP);
        rebuild.step();
        int last = KEYS_PER_STEP - 1;
        change(0, KeyIndex.ABSENT);
        change(1, 100);
        change(last, 200);
        change(last + 1, 300);
        assertThat(copy(0)).isNull();
        assertThat(copy(1)).isEqualTo(100);
        assertThat(copy(last)).isEqualTo(200);
        assertThat(copy(last + 1)).as("not copied yet").isNull();
        change(last, KeyIndex.ABSENT);
        assertThat(copy(last)).isNull();
        assertThat(rebuild.step()).isFalse();
        assertThat(copy(last + 1)).isEqualTo(300);
    }

    @Test
    void beforeTheFirstStepNothingIsChangedInTheTarget() {
        fill(1);
        assertThat(target.map().isEmpty()).isTrue();
    }

    @Test
    void itEndsWhenAllThatWasLeftIsRemoved() {
        fill(3 * KEYS_PER_STEP);
        rebuild.step();
        for (int i = KEYS_PER_STEP; i < 3 * KEYS_PER_STEP; i++) {
            change(i, KeyIndex.ABSENT);
        }
        assertThat(rebuild.step()).isTrue();
        assertThat(rebuild.copied()).isEqualTo(KEYS_PER_STEP);
        assertThat(target.map().size()).isEqualTo(KEYS_PER_STEP);
    }
}
