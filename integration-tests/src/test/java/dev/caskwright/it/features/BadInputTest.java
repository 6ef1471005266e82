package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class BadInputTest extends FeatureFixture {
    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void keysOfOtherLengthsAreRefusedBeforeAnythingIsWritten(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        byte[] value = bytes("value");
        for (int length : new int[] {0, 65_536}) {
            byte[] key = new byte[length];
            assertThatThrownBy(() -> engine.put(key, value)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> engine.delete(key)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> engine.get(key)).isInstanceOf(IllegalArgumentException.class);
            WriteBatch batch = new WriteBatch().put(bytes("good"), value);
            assertThatThrownBy(() -> batch.put(key, value)).isInstanceOf(IllegalArgumentException.class);
            assertThat(batch.size()).isEqualTo(1);
        }
        assertThat(engine.stats().writes().writtenBytes()).isZero();
        byte[] longest = new byte[65_535];
        engine.put(longest, value);
        assertThat(engine.get(longest)).isEqualTo(value);
        engine.merge();
        engine.close();
        BitcaskEngine reopened = backend.builder(directory(), clock).open();
        assertThat(reopened.get(longest)).isEqualTo(value);
        assertThat(reopened.size()).isEqualTo(1);
        reopened.close();
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void aDirectoryThatIsAFileIsRefused(Backend backend) throws IOException {
        Files.writeString(directory(), "mine");
        assertThatThrownBy(() -> backend.builder(directory(), clock).open())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("store");
        assertThat(directory()).hasContent("mine");
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void aDirectoryThatCannotBeWrittenIsRefused(Backend backend) throws IOException {
        Path locked = Files.createDirectory(temporary.resolve("locked"));
        assertThat(locked.toFile().setWritable(false)).isTrue();
        try {
            Assumptions.assumeFalse(Files.isWritable(locked), "this user may write everywhere");
            assertThatThrownBy(() -> backend.builder(locked, clock).open())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("locked");
            assertThatThrownBy(() ->
                            backend.builder(locked.resolve("store"), clock).open())
                    .isInstanceOf(IOException.class);
        } finally {
            assertThat(locked.toFile().setWritable(true)).isTrue();
        }
    }

    @Test
    void aStoreThatIsOpenIsRefusedByName() throws IOException {
        BitcaskEngine engine = open();
        for (Backend backend : Backend.all().toList()) {
            assertThatThrownBy(() -> backend.builder(directory(), clock).open())
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("store");
        }
        put(engine, "key", "value");
        engine.close();
    }

    @Test
    void aNewerFormatIsRefusedAndLeftAlone() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value");
        engine.close();
        Path manifest = directory().resolve("MANIFEST");
        byte[] newer = Files.readAllBytes(manifest);
        newer[8] = 9;
        CRC32C crc = new CRC32C();
        crc.update(newer, 0, 60);
        ByteBuffer.wrap(newer).order(ByteOrder.LITTLE_ENDIAN).putInt(60, (int) crc.getValue());
        Files.write(manifest, newer);
        assertThatThrownBy(this::open)
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("found version=9");
        assertThat(manifest).hasBinaryContent(newer);
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void filesOfOthersAreLeftAlone(Backend backend) throws IOException {
        Files.createDirectory(directory());
        Path foreign = Files.writeString(directory().resolve("notes.txt"), "mine");
        Path lookalike = Files.writeString(directory().resolve("1.data"), "mine");
        BitcaskEngine engine =
                backend.builder(directory(), clock).createAmongOtherFiles(true).open();
        fill(engine, 20, "value");
        engine.merge();
        engine.close();
        engine = backend.builder(directory(), clock).open();
        assertThat(content(engine)).isEqualTo(filled(20, "value"));
        engine.close();
        assertThat(foreign).hasContent("mine");
        assertThat(lookalike).hasContent("mine");
    }

    @Test
    void unknownBackendsAreAnsweredWithTheKnownOnes() {
        assertThatThrownBy(() -> Backends.keyIndex("treemap"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(
                        "unknown key index: name=treemap, known=btree, compact, hashmap, offheap, sorted; ");
        assertThatThrownBy(() -> Backends.ioManager("tape"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("unknown IO manager: name=tape, known=mmap, standard; ");
    }

    // ---------------------------------------------------------------- an index that fails

    /** Returns a factory of indexes of which a method throws what is set. */
    private static KeyIndexFactory failing(String method, AtomicReference<@Nullable Exception> failure) {
        KeyIndexFactory factory = Backends.keyIndex("hashmap");
        return context -> {
            KeyIndex index = factory.open(context);
            return (KeyIndex) Proxy.newProxyInstance(
                    KeyIndex.class.getClassLoader(), new Class<?>[] {KeyIndex.class}, (proxy, called, arguments) -> {
                        Exception error = failure.get();
                        if (error != null && called.getName().equals(method)) {
                            throw error;
                        }
                        try {
                            return called.invoke(index, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        };
    }

    @Test
    void anIndexThatFailsInMidWriteIsRebuiltFromTheLog() throws IOException {
        for (String method : new String[] {"put", "remove"}) {
            for (Exception error : new Exception[] {new IOException("index lost"), new IllegalStateException("bug")}) {
                Path home = temporary.resolve(method + error.getClass().getSimpleName());
                AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
                BitcaskEngine engine = Backend.DEFAULT
                        .builder(home, clock)
                        .index(failing(method, failure))
                        .open();
                put(engine, "key", "old");
                put(engine, "other", "value");
                failure.set(error);
                assertThatThrownBy(() -> {
                            if (method.equals("put")) {
                                put(engine, "key", "new");
                            } else {
                                delete(engine, "key");
                            }
                        })
                        .isInstanceOfSatisfying(
                                EngineFailedException.class,
                                e -> assertThat(e.outcome()).isNotEqualTo(Outcome.NOT_APPLIED))
                        .hasRootCause(error);
                failure.set(null);
                assertThatThrownBy(() -> put(engine, "more", "value")).isInstanceOf(EngineFailedException.class);
                assertThat(engine.health()).isNotNull();
                assertThat(get(engine, "other")).as("reads go on").isEqualTo("value");
                engine.close();
                BitcaskEngine reopened = Backend.DEFAULT.builder(home, clock).open();
                assertThat(content(reopened))
                        .isEqualTo(
                                method.equals("put")
                                        ? Map.of("key", "new", "other", "value")
                                        : Map.of("other", "value"));
                reopened.close();
            }
        }
    }

    @Test
    void anIndexWithoutRoomRefusesBeforeAnythingIsLogged() throws IOException {
        AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        BitcaskEngine engine = builder().index(failing("ensureRoom", failure)).open();
        put(engine, "key", "old");
        failure.set(new IndexMemoryException("no room", null));
        long written = engine.stats().writes().writtenBytes();
        assertThatThrownBy(() -> put(engine, "key", "new")).isInstanceOf(IndexMemoryException.class);
        WriteBatch batch = new WriteBatch().put(bytes("a"), bytes("1")).put(bytes("b"), bytes("2"));
        assertThatThrownBy(() -> engine.write(batch, WriteOptions.DEFAULT)).isInstanceOf(IndexMemoryException.class);
        assertThat(engine.stats().writes().writtenBytes()).isEqualTo(written);
        assertThat(engine.health()).isNull();
        failure.set(null);
        put(engine, "key", "later");
        engine.close();
        BitcaskEngine reopened = open();
        assertThat(content(reopened)).isEqualTo(Map.of("key", "later"));
        reopened.close();
    }

    @Test
    void anIndexThatFailsDuringAMergeLosesNothing() throws IOException {
        AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        BitcaskEngine engine = builder().index(failing("replace", failure)).open();
        fill(engine, 30, "value");
        failure.set(new IOException("index lost"));
        assertThatThrownBy(engine::merge).isInstanceOf(IOException.class);
        assertThat(engine.health()).isNotNull();
        assertThat(get(engine, "key3")).isEqualTo("value3");
        engine.close();
        BitcaskEngine reopened = open();
        assertThat(content(reopened)).isEqualTo(filled(30, "value"));
        reopened.close();
    }
}
