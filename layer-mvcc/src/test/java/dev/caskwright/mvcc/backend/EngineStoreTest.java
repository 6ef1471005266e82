package dev.caskwright.mvcc.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.mvcc.ManualTimer;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An engine that throws what it likes from a write, and says that it is well. */
final class EngineStoreTest {
    private static final Bucket BUCKET = new Bucket(0, "one", false);

    private final CrashableIoManager disk = new CrashableIoManager();
    private StorageEngine engine;
    private BatchedBackend backend;
    private Throwable thrown;
    private boolean isThrownAfterwards;
    private boolean isForceFailing;

    @BeforeEach
    void open() throws IOException {
        engine = BitcaskEngine.builder(Path.of("/simulated"))
                .index(Backends.keyIndex("btree"))
                .io(disk.factory())
                .executor(Runnable::run)
                .open();
        StorageEngine throwing = (StorageEngine) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {StorageEngine.class}, (proxy, method, arguments) -> {
                    if (isForceFailing && method.getName().equals("sync")) {
                        throw new IOException("simulated");
                    }
                    Throwable now = method.getName().equals("write") ? thrown : null;
                    if (now != null) {
                        thrown = null;
                        if (isThrownAfterwards) {
                            method.invoke(engine, arguments);
                        }
                        throw now;
                    }
                    try {
                        return method.invoke(engine, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        EngineStore store = new EngineStore(throwing, List.of(BUCKET), () -> Path.of("/simulated/copy"));
        backend = new BatchedBackend(store, List.of(BUCKET), BackendOptions.DEFAULT, new ManualTimer());
    }

    private void put(String key) throws IOException {
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(BUCKET, key.getBytes(), "value".getBytes());
            transaction.commit();
        }
    }

    private boolean isThere(String key) throws IOException {
        try (BackendView view = backend.openView()) {
            return view.get(BUCKET, key.getBytes()) != null;
        }
    }

    private static Stream<Throwable> failures() {
        return Stream.of(
                new OutOfMemoryError("simulated"),
                new IOException("simulated"),
                new IllegalArgumentException("simulated"),
                new EngineException(ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "simulated", null));
    }

    private void failToCommit(Throwable failure, Outcome outcome) throws IOException {
        put("before");
        backend.commit();
        put("failing");
        thrown = failure;
        assertThatThrownBy(backend::commit)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.outcome()).isEqualTo(outcome))
                .hasRootCause(failure);
        assertThat(isThere("before")).isTrue();
        assertThat(isThere("failing")).isFalse();
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whatIsCommittedAfterAWriteThatDidNothingIsSeen(Throwable failure) throws IOException {
        failToCommit(failure, Outcome.NOT_APPLIED);
        assertThat(backend.health()).isNull();
        for (String key : List.of("after", "later")) {
            put(key);
            backend.commit();
            assertThat(isThere(key)).isTrue();
        }
        assertThat(isThere("failing")).isFalse();
        backend.close();
    }

    @ParameterizedTest
    @MethodSource("failures")
    void aWriteThatFailedAndIsThereIsForced(Throwable failure) throws IOException {
        if (failure instanceof EngineException) {
            return; // the engine says that it did nothing
        }
        isThrownAfterwards = true;
        put("failing");
        thrown = failure;
        backend.commit();
        put("after");
        backend.commit();
        assertThat(isThere("failing")).isTrue();
        assertThat(isThere("after")).isTrue();
        backend.close();
    }

    @ParameterizedTest
    @MethodSource("failures")
    void nothingIsCommittedAfterAWriteOfWhichNothingIsKnown(Throwable failure) throws IOException {
        if (failure instanceof EngineException) {
            return;
        }
        isThrownAfterwards = true;
        isForceFailing = true;
        failToCommit(failure, Outcome.UNKNOWN);
        assertThat(backend.health()).isSameAs(failure);
        assertThatThrownBy(() -> put("after")).isInstanceOf(EngineFailedException.class);
        backend.close();
    }
}
