package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever throws at whatever call of a merge: the store goes on with nothing lost, or says that it failed. */
final class MergeErrorsTest {
    private static final WriteOptions OPTIONS = WriteOptions.DEFAULT;

    private final ManualClock clock = new ManualClock();
    private CrashableIoManager disk = new CrashableIoManager();
    private long calls;
    private long failing = Long.MAX_VALUE;
    private Throwable planted = new OutOfMemoryError("planted");

    private void call() throws Throwable {
        if (calls++ == failing) {
            throw planted;
        }
    }

    private KeyIndex wrap(KeyIndex index) {
        return (KeyIndex) Proxy.newProxyInstance(
                KeyIndex.class.getClassLoader(), new Class<?>[] {KeyIndex.class}, (proxy, method, arguments) -> {
                    if (!method.getName().equals("close") && !method.getName().equals("size")) {
                        call();
                    }
                    try {
                        return method.invoke(index, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private BitcaskEngine open(boolean failsInIndex) throws IOException {
        EngineBuilder builder = CrashFixture.builder(disk.factory(CrashFixture.HOME), clock);
        return failsInIndex
                ? builder.index(context -> wrap(new dev.caskwright.index.hashmap.HashKeyIndex(context)))
                        .open()
                : builder.open();
    }

    /** Writes what makes all kinds of work for a merge; returns what is there afterwards. */
    private TreeMap<String, String> fill(BitcaskEngine engine) throws IOException {
        TreeMap<String, String> model = new TreeMap<>();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 24; i++) {
                String key = "k" + i;
                if (i % 5 == round) {
                    engine.delete(bytes(key), WriteOptions.SYNC);
                    model.remove(key);
                } else if (i % 7 == 3) {
                    engine.put(bytes(key), bytes("expiring"), WriteOptions.SYNC.timeToLive(Duration.ofSeconds(1)));
                    model.remove(key);
                } else {
                    engine.put(bytes(key), bytes("value" + round + i), WriteOptions.SYNC);
                    model.put(key, "value" + round + i);
                }
            }
        }
        clock.advance(Duration.ofSeconds(2));
        return model;
    }

    private static TreeMap<String, String> content(BitcaskEngine engine) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        for (Entry entry : KeyValues.entries(engine).values()) {
            content.put(new String(entry.key()), new String(entry.value()));
        }
        return content;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anErrorAtAnyCallLosesNothing(boolean failsInIndex) throws Throwable {
        for (Throwable each : new Throwable[] {new OutOfMemoryError("planted"), new IllegalStateException("planted")}) {
            planted = each;
            for (long at = 0; failAt(at, failsInIndex); at++) {
                calls = 0;
            }
        }
    }

    /** Returns whether the merge came as far as the call that was to fail. */
    private boolean failAt(long at, boolean failsInIndex) throws Throwable {
        disk = new CrashableIoManager();
        failing = Long.MAX_VALUE;
        BitcaskEngine engine = open(failsInIndex);
        TreeMap<String, String> model = fill(engine);
        if (!failsInIndex) {
            disk.observer(call -> {
                if (calls++ == failing) {
                    if (planted instanceof Error error) {
                        throw error;
                    }
                    throw (IllegalStateException) planted;
                }
            });
        }
        calls = 0;
        failing = at;
        Throwable thrown = null;
        try {
            engine.merge();
        } catch (Throwable e) {
            thrown = e;
        }
        boolean hasFired = calls > at;
        failing = Long.MAX_VALUE;
        String what = planted.getClass().getSimpleName() + " at call " + at + ", health=" + engine.health();
        if (thrown == null && hasFired) {
            assertThat(failsInIndex && !(planted instanceof OutOfMemoryError))
                    .as(what + ": only a cache may fail without a word, or memory that is there when it is tried again")
                    .isFalse();
        }
        if (failsInIndex && planted instanceof OutOfMemoryError) {
            assertThat(engine.health())
                    .as(what + ": want of memory that passes ends no store")
                    .isNull();
        }
        assertGoesOnOrSaysSo(engine, model, what);
        engine.close();
        disk.observer(null);
        try (BitcaskEngine reopened = open(false)) {
            assertThat(content(reopened)).as(what + ", reopened").isEqualTo(model);
            reopened.merge();
            assertThat(content(reopened)).as(what + ", reopened and merged").isEqualTo(model);
        }
        return hasFired;
    }

    private void assertGoesOnOrSaysSo(BitcaskEngine engine, TreeMap<String, String> model, String what)
            throws IOException {
        assertThat(content(engine)).as(what).isEqualTo(model);
        for (String key : new String[] {"k2", "k4", "k8", "new"}) {
            try {
                if (key.equals("new")) {
                    engine.put(bytes(key), bytes("1"), OPTIONS);
                    model.put(key, "1");
                } else {
                    engine.delete(bytes(key), WriteOptions.SYNC);
                    model.remove(key);
                }
                assertThat(engine.health()).as(what).isNull();
            } catch (EngineException e) {
                assertThat(engine.health()).as(what).isNotNull();
            }
        }
        assertThat(content(engine)).as(what).isEqualTo(model);
        if (engine.health() == null) {
            engine.merge();
            assertThat(content(engine)).as(what + ", merged").isEqualTo(model);
            assertThat(engine.size()).as(what).isEqualTo(model.size());
        }
        for (String key : model.keySet()) {
            assertThat(engine.get(bytes(key))).as(what).isNotNull();
        }
    }

    /** The bytes that are live, read at every call to the disk while a merge goes on. */
    @Test
    void liveBytesAreRightAtEveryMoment() throws IOException {
        BitcaskEngine engine = open(false);
        fill(engine);
        try (BitcaskEngine copy = CrashFixture.open(disk.peekKill(), clock)) {
            copy.merge(); // what has expired is gone now
            long live = copy.stats().space().liveBytes();
            engine.merge();
            assertThat(engine.stats().space().liveBytes()).isEqualTo(live);
        }
        long live = engine.stats().space().liveBytes();
        for (int i = 2; i < 24; i += 5) {
            engine.put(bytes("k" + i), bytes("another"), OPTIONS);
            engine.delete(bytes("k" + i), OPTIONS);
            engine.put(bytes("k" + i), bytes("value1" + i), OPTIONS);
        }
        long after = engine.stats().space().liveBytes();
        long[] seen = {0, 0};
        disk.observer(call -> {
            if (!call.file().isEmpty()) {
                seen[0]++;
                seen[1] += engine.stats().space().liveBytes() == after ? 0 : 1;
            }
        });
        engine.merge();
        disk.observer(null);
        assertThat(seen[0]).isGreaterThan(10);
        assertThat(seen[1]).as("moments with other figures than %s", after).isZero();
        assertThat(engine.stats().space().liveBytes()).isEqualTo(after);
        assertThat(live).isPositive();
        engine.close();
    }

    /** The figures beside a merge that moves records while others read them. */
    @Test
    void liveBytesAreRightWhileTheIndexIsSwitched() throws IOException {
        long[] seen = {Long.MAX_VALUE, 0};
        BitcaskEngine[] opened = new BitcaskEngine[1];
        KeyIndex[] inner = new KeyIndex[1];
        boolean[] watching = {false};
        opened[0] = CrashFixture.builder(disk.factory(CrashFixture.HOME), clock)
                .index(context -> {
                    inner[0] = new dev.caskwright.index.hashmap.HashKeyIndex(context);
                    return (KeyIndex) Proxy.newProxyInstance(
                            KeyIndex.class.getClassLoader(),
                            new Class<?>[] {KeyIndex.class},
                            (proxy, method, arguments) -> {
                                if (watching[0] && method.getName().equals("replace")) {
                                    long live = opened[0].stats().space().liveBytes();
                                    seen[0] = Math.min(seen[0], live);
                                    seen[1] = Math.max(seen[1], live);
                                }
                                try {
                                    return method.invoke(inner[0], arguments);
                                } catch (InvocationTargetException e) {
                                    throw e.getCause();
                                }
                            });
                })
                .open();
        for (int i = 0; i < 200; i++) {
            opened[0].put(bytes("k" + i % 100), bytes("value" + i));
        }
        long live = opened[0].stats().space().liveBytes();
        watching[0] = true;
        opened[0].merge();
        watching[0] = false;
        assertThat(Arrays.asList(seen[0], seen[1])).containsOnly(live);
        opened[0].close();
    }
}
