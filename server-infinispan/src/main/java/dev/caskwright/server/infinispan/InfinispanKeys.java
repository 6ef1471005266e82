package dev.caskwright.server.infinispan;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.infinispan.AdvancedCache;
import org.infinispan.context.Flag;
import org.jspecify.annotations.Nullable;

/** The keys in the cache. */
final class InfinispanKeys implements Keys {
    private final AdvancedCache<byte[], byte[]> cache;
    private final AdvancedCache<byte[], byte[]> blind;

    InfinispanKeys(AdvancedCache<byte[], byte[]> cache) {
        this.cache = cache;
        blind = cache.withFlags(Flag.IGNORE_RETURN_VALUES);
    }

    @Override
    public CompletableFuture<byte @Nullable []> get(byte[] key) {
        return cache.getAsync(key);
    }

    @Override
    public CompletableFuture<Boolean> put(byte[] key, byte[] value, long lifespanMillis) {
        return blind.putAsync(key, value, lifespanMillis, TimeUnit.MILLISECONDS).thenApply(nothing -> true);
    }

    @Override
    public CompletableFuture<Boolean> replace(
            byte[] key, byte @Nullable [] expected, byte[] value, long lifespanMillis) {
        return expected == null
                ? cache.putIfAbsentAsync(key, value, lifespanMillis, TimeUnit.MILLISECONDS)
                        .thenApply(before -> before == null)
                : cache.replaceAsync(key, expected, value, lifespanMillis, TimeUnit.MILLISECONDS);
    }

    @Override
    public CompletableFuture<Boolean> remove(byte[] key, byte[] expected) {
        return cache.removeAsync(key, expected);
    }

    @Override
    public CompletableFuture<Boolean> remove(byte[] key) {
        return blind.removeAsync(key).thenApply(nothing -> true);
    }

    @Override
    public int topology() {
        return cache.getDistributionManager().getCacheTopology().getTopologyId();
    }
}
