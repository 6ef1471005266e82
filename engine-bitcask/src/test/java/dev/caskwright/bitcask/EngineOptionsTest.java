package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.spi.engine.OutdatedPluginException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An engine goes by the options that it was opened with. */
final class EngineOptionsTest {
    private final CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock());
    }

    @Test
    void aBuilderThatIsChangedLaterChangesNoEngine() throws Exception {
        List<Runnable> tasks = new ArrayList<>();
        EngineBuilder builder = builder()
                .maxFileBytes(1 << 10)
                .autoMerge(false)
                .executor(tasks::add)
                .imageEveryBytes(0);
        try (BitcaskEngine engine = builder.open()) {
            builder.autoMerge(true).maxSpaceAmplification(1.01).durability(Durability.SYNC);
            for (int i = 0; i < 200; i++) {
                engine.put(KeyValues.key(i % 3), new byte[100]);
                while (!tasks.isEmpty()) {
                    tasks.remove(0).run();
                }
            }
            assertThat(engine.stats().merging().merges()).isZero();
        }
    }

    @Test
    void anIndexWithoutOrderNamesWhatToChoose() throws Exception {
        try (BitcaskEngine engine = builder().open()) {
            assertThat(engine.facet(OrderedView.class)).isEmpty();
            assertThatThrownBy(engine::ordered)
                    .isInstanceOf(MissingFacetException.class)
                    .hasMessageStartingWith("the store does not hold this facet: facet=OrderedView, engine=bitcask,"
                            + " index=HashKeyIndex, offered by=bitcask (");
        }
    }

    @Test
    void nullArgumentsAreNamed() throws Exception {
        assertThatThrownBy(() -> builder().index(null)).hasMessage("factory");
        try (BitcaskEngine engine = builder().open()) {
            assertThatThrownBy(() -> engine.put((byte[]) null, new byte[1])).hasMessage("key");
            assertThatThrownBy(() -> engine.put(new byte[1], (byte[]) null)).hasMessage("value");
            assertThatThrownBy(() -> engine.get((byte[]) null)).hasMessage("key");
        }
    }

    /** As an index would be that an old jar makes: without a method that came later. */
    @Test
    void anIndexWithoutAMethodIsRefusedBeforeItIsUsed() {
        KeyIndex old = (KeyIndex) Proxy.newProxyInstance(
                KeyIndex.class.getClassLoader(), new Class<?>[] {KeyIndex.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        return null;
                    }
                    throw new AbstractMethodError("KeyIndex." + method.getName());
                });
        assertThatThrownBy(() -> builder().index(context -> old).open())
                .isInstanceOf(OutdatedPluginException.class)
                .hasMessageContaining("another version of its interface: KeyIndex.");
    }
}
