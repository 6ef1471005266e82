package dev.caskwright.infinispan;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.infinispan.Cache;
import org.infinispan.commands.VisitableCommand;
import org.infinispan.commands.write.PutKeyValueCommand;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.context.InvocationContext;
import org.infinispan.context.impl.FlagBitSets;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.factories.GlobalComponentRegistry;
import org.infinispan.interceptors.AsyncInterceptorChain;
import org.infinispan.interceptors.BaseAsyncInterceptor;
import org.infinispan.manager.EmbeddedCacheManager;
import org.infinispan.test.TestingUtil;
import org.infinispan.topology.ClusterTopologyManager;
import org.jspecify.annotations.Nullable;
import org.testng.annotations.Test;

/**
 * An entry is on its way to a node that joins, and is overwritten or removed, there too, before it comes. What comes then is older, and
 * must not be in the store afterwards.
 *
 * <p>Infinispan writes it to stores before it looks whether it is older, so that its own file store has it. Once that test fails,
 * {@link GivenEntries} is not needed any more.
 */
@Test(groups = "functional", testName = "dev.caskwright.infinispan.OlderValuesTest")
public class OlderValuesTest extends NodesOnDisk {

    /** Holds what other nodes give back. */
    private static final class Holding extends BaseAsyncInterceptor {
        private final CompletableFuture<Void> hasCome = new CompletableFuture<>();
        private final CompletableFuture<Void> mayGoOn = new CompletableFuture<>();

        @Override
        public Object visitCommand(InvocationContext context, VisitableCommand command) {
            if (command instanceof PutKeyValueCommand put && put.hasAnyFlag(FlagBitSets.PUT_FOR_STATE_TRANSFER)) {
                hasCome.complete(null);
                return asyncInvokeNext(context, command, mayGoOn);
            }
            return invokeNext(context, command);
        }
    }

    public void whatIsGivenLateTakesNobodysPlace() throws Exception {
        assertThat(afterwards(Caches.distributed(path(0)), Caches.distributed(path(1)), "newer"))
                .isEqualTo("newer");
    }

    public void whatIsGivenLateDoesNotBringBackWhatWasRemoved() throws Exception {
        assertThat(afterwards(Caches.distributed(path(0)), Caches.distributed(path(1)), null))
                .isNull();
    }

    public void itDoesWithTheFileStoreOfInfinispan() throws Exception {
        assertThat(afterwards(Caches.distributedOverFiles(path(0)), Caches.distributedOverFiles(path(1)), "newer"))
                .isEqualTo("older");
    }

    private Path path(int node) {
        return Path.of(directory, "node" + node);
    }

    /** Returns what the node that joins has for the key, if not from memory. */
    private @Nullable String afterwards(ConfigurationBuilder first, ConfigurationBuilder second, @Nullable String newer)
            throws Exception {
        try {
            return afterJoining(first, second, newer);
        } finally {
            TestingUtil.killCacheManagers(cacheManagers);
            cacheManagers.clear();
            removeDirectory();
        }
    }

    private @Nullable String afterJoining(
            ConfigurationBuilder first, ConfigurationBuilder second, @Nullable String newer) throws Exception {
        Cache<String, String> giving = add(first).getCache();
        giving.put("key", "older");
        ClusterTopologyManager topologies =
                GlobalComponentRegistry.componentOf(manager(0), ClusterTopologyManager.class);
        topologies.setRebalancingEnabled(false);
        EmbeddedCacheManager joining = add(second);
        Cache<String, String> given = joining.getCache();
        Holding holding = new Holding();
        ComponentRegistry.componentOf(given, AsyncInterceptorChain.class).addInterceptor(holding, 0);
        topologies.setRebalancingEnabled(true);
        holding.hasCome.get(1, TimeUnit.MINUTES);
        if (newer == null) {
            giving.remove("key");
        } else {
            giving.put("key", newer);
        }
        assertThat(given.get("key")).isEqualTo(newer);
        holding.mayGoOn.complete(null);
        waitForClusterToForm();
        assertThat(given.getAdvancedCache()
                        .getDistributionManager()
                        .getCacheTopology()
                        .getDistribution("key")
                        .isReadOwner())
                .isTrue();
        given.getAdvancedCache().getDataContainer().evict("key");
        return given.get("key");
    }

    private EmbeddedCacheManager add(ConfigurationBuilder cache) {
        return addClusterEnabledCacheManager(GlobalConfigurationBuilder.defaultClusteredBuilder(), cache);
    }
}
