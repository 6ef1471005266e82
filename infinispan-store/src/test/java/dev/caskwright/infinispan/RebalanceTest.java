package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.infinispan.Cache;
import org.infinispan.commons.IllegalLifecycleStateException;
import org.infinispan.commons.test.CommonsTestingUtil;
import org.infinispan.commons.util.Util;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.EmbeddedCacheManager;
import org.infinispan.remoting.RemoteException;
import org.infinispan.test.MultipleCacheManagersTest;
import org.testng.annotations.AfterClass;
import org.testng.annotations.Test;

/** Nodes join and leave while entries are written: with two owners, nothing that was acknowledged is lost. */
@Test(groups = "functional", testName = "dev.caskwright.infinispan.RebalanceTest")
public class RebalanceTest extends MultipleCacheManagersTest {
    private static final int BEFORE = 500;

    private final String directory = CommonsTestingUtil.tmpDirectory(getClass());
    private int nodes;

    @Override
    protected void createCacheManagers() {
        Util.recursiveFileRemove(Path.of(directory));
        addNode();
        addNode();
        waitForClusterToForm();
    }

    @AfterClass(alwaysRun = true)
    @Override
    protected void destroy() {
        super.destroy();
        Util.recursiveFileRemove(Path.of(directory));
    }

    private EmbeddedCacheManager addNode() {
        ConfigurationBuilder cache = Caches.distributed(Path.of(directory, "node" + nodes++));
        return addClusterEnabledCacheManager(GlobalConfigurationBuilder.defaultClusteredBuilder(), cache);
    }

    /** Puts an entry; false if a member that is about to leave has refused it, which acknowledges nothing. */
    private static boolean isPut(Cache<String, String> cache, String key, String value) {
        try {
            cache.put(key, value);
            return true;
        } catch (RemoteException e) {
            if (e.getCause() instanceof IllegalLifecycleStateException) {
                return false;
            }
            throw e;
        }
    }

    public void joinsAndLeavesLoseNothing() throws Exception {
        Cache<String, String> cache = cache(0);
        for (int i = 0; i < BEFORE; i++) {
            cache.put("key" + i, "value" + i);
        }
        AtomicBoolean isDone = new AtomicBoolean();
        AtomicInteger acknowledged = new AtomicInteger(BEFORE);
        Future<?> writer = fork(() -> {
            while (!isDone.get()) {
                int next = acknowledged.get();
                if (isPut(cache, "key" + next, "value" + next)) {
                    acknowledged.set(next + 1);
                }
            }
        });
        for (int round = 0; round < 3; round++) {
            addNode();
            waitForClusterToForm();
            killMember(1);
            waitForClusterToForm();
        }
        isDone.set(true);
        writer.get();
        List<Integer> lost = new ArrayList<>();
        for (int i = 0; i < acknowledged.get(); i++) {
            for (Cache<String, String> each : this.<String, String>caches()) {
                if (!("value" + i).equals(each.get("key" + i))) {
                    lost.add(i);
                }
            }
        }
        assertThat(lost).as("of %d", acknowledged.get()).isEmpty();
        assertThat(cache.size()).isEqualTo(acknowledged.get());
    }
}
