package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.infinispan.Cache;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.distribution.LocalizedCacheTopology;
import org.infinispan.manager.EmbeddedCacheManager;
import org.infinispan.remoting.transport.Address;
import org.infinispan.test.TestingUtil;
import org.testng.annotations.Test;

/** Nodes that fail at once, that come back with what they had, and that are given the directory of another one. */
@Test(groups = "functional", testName = "dev.caskwright.infinispan.LostNodesTest")
public class LostNodesTest extends NodesOnDisk {
    private static final int KEYS = 500;

    /** What a test does with nodes that are stopped after it. */
    @FunctionalInterface
    private interface Steps {
        void run() throws Exception;
    }

    private void withNodes(Steps steps) throws Exception {
        try {
            steps.run();
        } finally {
            TestingUtil.killCacheManagers(cacheManagers);
            cacheManagers.clear();
            removeDirectory();
        }
    }

    private EmbeddedCacheManager add(ConfigurationBuilder cache) {
        return addClusterEnabledCacheManager(GlobalConfigurationBuilder.defaultClusteredBuilder(), cache);
    }

    private ConfigurationBuilder owners(int node, int owners) {
        ConfigurationBuilder cache = Caches.distributed(Path.of(directory, "node" + node));
        cache.clustering().hash().numOwners(owners);
        return cache;
    }

    private void fill(int nodes, int owners) {
        for (int i = 0; i < nodes; i++) {
            add(owners(i, owners)).getCache();
        }
        waitForClusterToForm();
        Cache<String, String> cache = cache(0);
        for (int i = 0; i < KEYS; i++) {
            cache.put("key" + i, "value" + i);
        }
    }

    /** Cuts the last two nodes off at once, and waits until the others have gone on. */
    private void failTwo() {
        List<EmbeddedCacheManager> failed = new ArrayList<>(cacheManagers.subList(2, 4));
        TestingUtil.crashCacheManagers(failed.toArray(EmbeddedCacheManager[]::new));
        cacheManagers.removeAll(failed);
        try {
            TestingUtil.installNewView(manager(0), manager(1)); // as failure detection would, for both at once
            waitForClusterToForm();
        } finally {
            TestingUtil.killCacheManagers(failed);
        }
    }

    private Set<String> absent() {
        Set<String> absent = new TreeSet<>();
        for (Cache<String, String> each : this.<String, String>caches()) {
            for (int i = 0; i < KEYS; i++) {
                if (!("value" + i).equals(each.get("key" + i))) {
                    absent.add("key" + i);
                }
            }
        }
        return absent;
    }

    public void twoThatFailAtOnceLoseNothingThatHasThreeOwners() throws Exception {
        withNodes(() -> {
            fill(4, 3);
            failTwo();
            assertThat(absent()).isEmpty();
        });
    }

    public void twoThatFailAtOnceLoseOfTwoOwnersWhatOnlyTheyHad() throws Exception {
        withNodes(() -> {
            fill(4, 2);
            LocalizedCacheTopology topology =
                    cache(0).getAdvancedCache().getDistributionManager().getCacheTopology();
            Set<Address> failing = Set.of(address(2), address(3));
            Set<String> theirs = new TreeSet<>();
            for (int i = 0; i < KEYS; i++) {
                if (failing.containsAll(topology.getDistribution("key" + i).readOwners())) {
                    theirs.add("key" + i);
                }
            }
            failTwo();
            assertThat(theirs).isNotEmpty();
            assertThat(absent()).isEqualTo(theirs);
        });
    }

    public void aNodeThatWasAwayAndIsPurgedTakesNobodysPlace() throws Exception {
        withNodes(() -> {
            fill(3, 2);
            killMember(2);
            Cache<String, String> cache = cache(0);
            for (int i = 0; i < KEYS; i++) {
                if (i % 2 == 0) {
                    cache.remove("key" + i);
                } else {
                    cache.put("key" + i, "newer");
                }
            }
            killMember(1); // so that owners are others than when it left
            ConfigurationBuilder back = owners(2, 2);
            back.persistence().stores().forEach(store -> store.purgeOnStartup(true));
            add(back).getCache();
            waitForClusterToForm();
            for (Cache<String, String> each : this.<String, String>caches()) {
                for (int i = 0; i < KEYS; i++) {
                    assertThat(each.get("key" + i)).as("key%s", i).isEqualTo(i % 2 == 0 ? null : "newer");
                }
            }
        });
    }

    public void aDirectoryThatAnotherNodeHasIsRefused() throws Exception {
        withNodes(() -> {
            fill(1, 2);
            assertThatThrownBy(() -> add(owners(0, 2)).getCache()).hasStackTraceContaining("in use");
            assertThat(cache(0).get("key7")).isEqualTo("value7");
        });
    }

    public void theStoreOfAnotherClusterIsRefusedAndStays() throws Exception {
        withNodes(() -> {
            fill(1, 2);
            killMember(0, null, false);
            GlobalConfigurationBuilder other = GlobalConfigurationBuilder.defaultClusteredBuilder();
            other.transport().clusterName("other");
            assertThatThrownBy(() ->
                            addClusterEnabledCacheManager(other, owners(0, 2)).getCache())
                    .hasStackTraceContaining("cluster=other")
                    .hasStackTraceContaining("nothing was changed");
            TestingUtil.killCacheManagers(cacheManagers);
            cacheManagers.clear();
            add(owners(0, 2));
            assertThat(cache(0).get("key7")).isEqualTo("value7");
        });
    }
}
