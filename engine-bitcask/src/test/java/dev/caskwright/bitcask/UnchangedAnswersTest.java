package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.DataLoss;
import dev.caskwright.testkit.DirectoryLoss;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A write that changed nothing answers as durably as one that changed something, and fails on a failed store. */
@Timeout(60)
final class UnchangedAnswersTest {
    private static final byte[] GONE = KeyValues.bytes("gone");
    private static final byte[] CHANGED = KeyValues.bytes("changed");
    private static final byte[] OLD = KeyValues.bytes("old");
    private static final byte[] NEW = KeyValues.bytes("new");

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    /** Every write whose answer is that nothing was changed; it rests on a delete or a put that was not forced. */
    private enum Unchanged {
        PUT_IF_ABSENT {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.putIfAbsent(CHANGED, OLD, options);
            }
        },
        REPLACE_ABSENT {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.replace(GONE, OLD, NEW, options);
            }
        },
        REPLACE_OTHER {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.replace(CHANGED, OLD, NEW, options);
            }
        },
        REPLACE_VERSION {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.replaceVersion(CHANGED, 1, NEW, options);
            }
        },
        DELETE {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.delete(GONE, options);
            }
        },
        DELETE_EXPECTED {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.delete(CHANGED, OLD, options);
            }
        },
        EXPIRE {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                return engine.expire(GONE, options);
            }
        },
        COMMIT {
            @Override
            boolean make(BitcaskEngine engine, WriteOptions options) throws IOException {
                Transaction transaction = engine.transaction();
                transaction.get(CHANGED);
                engine.put(CHANGED, NEW, WriteOptions.WRITE);
                transaction.put(CHANGED, OLD);
                return transaction.commit(options);
            }
        };

        abstract boolean make(BitcaskEngine engine, WriteOptions options) throws IOException;
    }

    private BitcaskEngine open(IoManagerFactory io) throws IOException {
        return CrashFixture.builder(HOME, io, clock).maxFileBytes(1 << 20).open();
    }

    @ParameterizedTest
    @EnumSource
    void whatTheAnswerRestsOnSurvivesAPowerLoss(Unchanged write) throws IOException {
        BitcaskEngine engine = open(disk.factory(HOME));
        engine.put(GONE, OLD);
        engine.put(CHANGED, OLD);
        engine.sync();
        engine.delete(GONE, WriteOptions.WRITE);
        engine.put(CHANGED, NEW, WriteOptions.WRITE);
        assertThat(write.make(engine, WriteOptions.SYNC)).isFalse();
        CrashableIoManager after = disk.peekPowerLoss(1, DataLoss.DROP_ALL, DirectoryLoss.DROP_ALL);
        engine.close();
        try (BitcaskEngine reopened = open(after.factory(HOME))) {
            assertThat(reopened.get(GONE)).isNull();
            Entry entry = reopened.entry(CHANGED);
            assertThat(entry).isNotNull();
            assertThat(entry.value()).isEqualTo(NEW);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFailedStoreDoesNotAnswer(Unchanged write) throws IOException {
        long forces;
        FaultPlan counting = FaultPlan.counting().only(IoOperation.FORCE);
        try (BitcaskEngine sound = open(counting.wrap(new CrashableIoManager().factory(HOME)))) {
            sound.put(CHANGED, NEW);
            forces = counting.calls();
        }
        FaultPlan failing = FaultPlan.failing(forces).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine engine = open(failing.wrap(disk.factory(HOME)));
        engine.put(CHANGED, NEW);
        assertThatThrownBy(engine::sync).isInstanceOf(EngineFailedException.class);
        for (WriteOptions options : new WriteOptions[] {WriteOptions.DEFAULT, WriteOptions.SYNC}) {
            assertThatThrownBy(() -> write.make(engine, options)).isInstanceOf(EngineFailedException.class);
        }
        engine.close();
    }

    @ParameterizedTest
    @EnumSource
    void aStoreThatIsReadOnlyDoesNotAnswer(Unchanged write) throws IOException {
        try (BitcaskEngine engine = open(disk.factory(HOME))) {
            engine.put(CHANGED, NEW);
        }
        try (BitcaskEngine engine = CrashFixture.builder(HOME, disk.factory(HOME), clock)
                .readOnly(true)
                .open()) {
            assertThatThrownBy(() -> write.make(engine, WriteOptions.DEFAULT)).isInstanceOf(EngineException.class);
        }
    }
}
