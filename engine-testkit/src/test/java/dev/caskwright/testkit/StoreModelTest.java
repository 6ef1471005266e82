package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.NavigableMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class StoreModelTest {
    private final ManualClock clock = new ManualClock();
    private final StoreModel model = new StoreModel(Durability.WRITE, clock).context("seed=7");

    @Test
    void aRunningStoreHoldsAllAcknowledgedWrites() {
        put("a", "1", WriteOptions.NONE);
        put("b", "2", WriteOptions.SYNC);
        delete("a", WriteOptions.DEFAULT);

        model.assertCurrent(content("b=2"));
        assertImpossible(() -> model.assertCurrent(content("a=1", "b=2")));
        assertImpossible(() -> model.assertCurrent(content()));
        assertImpossible(() -> model.assertCurrent(content("b=3")));
        assertThat(model.get(KeyValues.bytes("a"))).isNull();
        assertThat(model.content()).hasSize(1);
    }

    @Test
    void aKillLosesAtMostTheLastWritesOfNoDurability() {
        put("a", "1", WriteOptions.NONE);
        put("b", "1", WriteOptions.DEFAULT);
        put("c", "1", WriteOptions.NONE);
        put("d", "1", WriteOptions.NONE);

        for (NavigableMap<byte[], Entry> possible :
                List.of(content("a=1", "b=1"), content("a=1", "b=1", "c=1"), content("a=1", "b=1", "c=1", "d=1"))) {
            model.assertPossibleAfterKill(possible);
        }
        assertImpossible(() -> model.assertPossibleAfterKill(content("a=1")));
        assertImpossible(() -> model.assertPossibleAfterKill(content("b=1")));
        assertImpossible(() -> model.assertPossibleAfterKill(content("a=1", "b=1", "d=1")));
    }

    @Test
    void aPowerLossLosesAtMostWhatCameAfterTheLastSync() {
        put("a", "1", WriteOptions.WRITE);
        put("b", "1", WriteOptions.SYNC);
        put("a", "2", WriteOptions.WRITE);
        put("c", "1", WriteOptions.WRITE);

        model.assertPossibleAfterPowerLoss(content("a=1", "b=1"));
        model.assertPossibleAfterPowerLoss(content("a=2", "b=1"));
        model.assertPossibleAfterPowerLoss(content("a=2", "b=1", "c=1"));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content("a=1")));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content("a=1", "b=1", "c=1")));
        model.synced();
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content("a=2", "b=1")));
        model.assertPossibleAfterPowerLoss(content("a=2", "b=1", "c=1"));
    }

    @Test
    void aWriteInFlightIsThereOrNotAndABatchIsWhole() {
        put("a", "1", WriteOptions.SYNC);
        WriteBatch batch =
                new WriteBatch().put(KeyValues.bytes("b"), KeyValues.bytes("1")).delete(KeyValues.bytes("a"));
        model.begin(batch, WriteOptions.SYNC);

        model.assertPossibleAfterPowerLoss(content("a=1"));
        model.assertPossibleAfterKill(content("b=1"));
        assertImpossible(() -> model.assertPossibleAfterKill(content("a=1", "b=1")));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content()));
    }

    @Test
    void aRefusedWriteIsNeverThere() {
        StoreModel.Write write = model.beginPut(KeyValues.bytes("a"), KeyValues.bytes("1"), WriteOptions.SYNC);
        write.fail(new OutOfSpaceException("full", null));

        model.assertCurrent(content());
        assertImpossible(() -> model.assertPossibleAfterKill(content("a=1")));
        assertThat(model.get(KeyValues.bytes("a"))).isNull();
    }

    @Test
    void aWriteOfUnknownOutcomeIsThereOrNotWhateverFollows() {
        StoreModel.Write write = model.beginPut(KeyValues.bytes("a"), KeyValues.bytes("1"), WriteOptions.SYNC);
        write.fail(new EngineFailedException(Outcome.UNKNOWN, "force failed", new IOException()));
        put("b", "1", WriteOptions.SYNC);

        model.assertPossibleAfterPowerLoss(content("b=1"));
        model.assertPossibleAfterPowerLoss(content("a=1", "b=1"));
        model.assertCurrent(content("b=1"));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content("a=1")));
    }

    @Test
    void whatWasRecoveredIsDurable() {
        put("a", "1", WriteOptions.WRITE);
        put("b", "1", WriteOptions.WRITE);
        model.recoverAfterPowerLoss(content("a=1"));

        model.assertPossibleAfterPowerLoss(content("a=1"));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content()));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content("a=1", "b=1")));
        put("c", "1", WriteOptions.WRITE);
        model.reopened(content("a=1", "c=1"));
        assertImpossible(() -> model.assertPossibleAfterPowerLoss(content("a=1")));
    }

    @Test
    void expiredEntriesAreAbsentForGood() {
        put("a", "1", WriteOptions.SYNC.timeToLive(Duration.ofSeconds(1)));
        long expiry = clock.millis() + 1_000;
        NavigableMap<byte[], Entry> content = KeyValues.newMap();
        content.put(KeyValues.bytes("a"), new Entry(KeyValues.bytes("a"), KeyValues.bytes("1"), 1, expiry));
        model.assertCurrent(content);
        assertImpossible(() -> model.assertCurrent(content("a=1"))); // without the expiry
        clock.advance(Duration.ofSeconds(1));
        model.assertCurrent(content());
        assertImpossible(() -> model.assertPossibleAfterKill(content));
        clock.advance(Duration.ofSeconds(-1));
        assertThat(model.get(KeyValues.bytes("a"))).isNull();
    }

    @Test
    void theMessageTellsWhatIsWrong() {
        put("a", "1", WriteOptions.SYNC);
        put("a", "2", WriteOptions.WRITE);
        put("b", "1", WriteOptions.WRITE);

        assertThatThrownBy(() -> model.assertPossibleAfterPowerLoss(content("a=3")))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("seed=7: ")
                .hasMessageContaining("first 1 to 3 writes")
                .hasMessageContaining("closest is that after 1, with 1 differences, first at key \"a\" (1 bytes)")
                .hasMessageContaining("expected: \"1\" (1 bytes)")
                .hasMessageContaining("found:    \"3\" (1 bytes)")
                .hasMessageContaining("#1 ACKNOWLEDGED at WRITE, 1 keys: \"2\" (1 bytes)");
    }

    private void put(String key, String value, WriteOptions options) {
        model.beginPut(KeyValues.bytes(key), KeyValues.bytes(value), options).acknowledge();
    }

    private void delete(String key, WriteOptions options) {
        model.beginDelete(KeyValues.bytes(key), options).acknowledge();
    }

    private static void assertImpossible(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(AssertionError.class).hasMessageContaining("impossible content");
    }

    private static NavigableMap<byte[], Entry> content(String... pairs) {
        NavigableMap<byte[], Entry> content = KeyValues.newMap();
        for (String pair : pairs) {
            byte[] key = KeyValues.bytes(pair.substring(0, pair.indexOf('=')));
            byte[] value = KeyValues.bytes(pair.substring(pair.indexOf('=') + 1));
            content.put(key, new Entry(key, value, 1, Entry.NEVER));
        }
        return content;
    }
}
