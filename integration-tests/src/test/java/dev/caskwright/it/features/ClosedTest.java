package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the methods that may not throw an IOException do once the engine is closed. */
final class ClosedTest extends FeatureFixture {
    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void whatAnswersAfterTheEndTouchesNothing(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        fill(engine, 20, "value");
        assertThat(engine.size()).isEqualTo(20);
        assertThat(engine.stats().keys()).isEqualTo(20);
        engine.close();
        assertThat(engine.size()).isZero();
        assertThat(engine.stats().keys()).isZero();
        assertThat(engine.stats().memory().indexBytes()).isZero();
        assertThat(engine.health()).isNull();
        Transaction transaction = engine.transaction();
        assertThatThrownBy(() -> transaction.get(bytes("key1"))).isInstanceOf(EngineClosedException.class);
        transaction.put(bytes("key1"), bytes("value"));
        assertThatThrownBy(() -> transaction.commit(WriteOptions.DEFAULT)).isInstanceOf(EngineClosedException.class);
        Optional<OrderedView> ordered = engine.facet(OrderedView.class);
        if (ordered.isPresent()) {
            assertThatThrownBy(() -> firstOf(ordered.get())).isInstanceOf(EngineClosedException.class);
        }
    }

    private static void firstOf(OrderedView view) throws IOException {
        try (Cursor cursor = view.range(Range.all())) {
            cursor.next();
        }
    }
}
