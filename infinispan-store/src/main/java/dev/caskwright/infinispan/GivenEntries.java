package dev.caskwright.infinispan;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.infinispan.Cache;
import org.infinispan.commands.VisitableCommand;
import org.infinispan.commands.write.PutKeyValueCommand;
import org.infinispan.context.Flag;
import org.infinispan.context.InvocationContext;
import org.infinispan.context.impl.FlagBitSets;
import org.infinispan.factories.ComponentRegistry;
import org.infinispan.interceptors.AsyncInterceptorChain;
import org.infinispan.interceptors.BaseAsyncInterceptor;
import org.infinispan.interceptors.impl.DistCacheWriterInterceptor;
import org.infinispan.persistence.spi.MarshallableEntry;
import org.infinispan.statetransfer.CommitManager;
import org.jspecify.annotations.Nullable;

/**
 * Tells the entries that other nodes give while owners change from those that are written, so that none of the former
 * takes the place of something newer.
 *
 * <p>Infinispan notes which keys are written while a node is given segments, and keeps what it is then given for them
 * out of memory. But it writes what it is given to stores before it looks. A store is not told where an entry comes
 * from, so an interceptor before the one that writes to stores notes it for the thread that goes on from there.
 *
 * <p>{@link #isTransferring} and {@link #isGiven} may be called by any thread, the rest by one at a time.
 */
final class GivenEntries {
    private static final ThreadLocal<@Nullable PutKeyValueCommand> GIVEN = new ThreadLocal<>();

    /** Notes what is on its way to the stores, if it was given. */
    private static final class Noting extends BaseAsyncInterceptor {
        @Override
        public Object visitCommand(InvocationContext context, VisitableCommand command) {
            if (!(command instanceof PutKeyValueCommand put)
                    || !put.hasAnyFlag(FlagBitSets.PUT_FOR_STATE_TRANSFER)
                    || context.isInTxScope()) {
                return invokeNext(context, command);
            }
            GIVEN.set(put);
            try {
                return invokeNext(context, command);
            } finally {
                GIVEN.remove();
            }
        }
    }

    private final @Nullable CommitManager transfers;

    /** Keys of entries that were written or removed since the node began to be given segments, by segment. */
    private final Map<Integer, Set<ByteBuffer>> written = new HashMap<>();

    private GivenEntries(@Nullable CommitManager transfers) {
        this.transfers = transfers;
    }

    /** Also lets the cache note what it is given. */
    static synchronized GivenEntries of(Cache<?, ?> cache) {
        if (!cache.getCacheConfiguration().clustering().cacheMode().needsStateTransfer()) {
            return new GivenEntries(null);
        }
        AsyncInterceptorChain chain = ComponentRegistry.componentOf(cache, AsyncInterceptorChain.class);
        if (chain.findInterceptorWithClass(Noting.class) == null) {
            chain.addInterceptorBefore(new Noting(), DistCacheWriterInterceptor.class);
        }
        return new GivenEntries(ComponentRegistry.componentOf(cache, CommitManager.class));
    }

    /** Returns whether this node is being given segments. */
    boolean isTransferring() {
        return transfers != null && transfers.isTracking(Flag.PUT_FOR_STATE_TRANSFER);
    }

    /** Returns whether an entry that this thread is about to write was given by another node. */
    static boolean isGiven(MarshallableEntry<?, ?> entry) {
        PutKeyValueCommand given = GIVEN.get();
        // The same thread may write something else meanwhile, for somebody who waited.
        return given != null && given.getKey() == entry.getKey() && given.getValue() == entry.getValue();
    }

    void wasWritten(byte[] entryKey) {
        written.computeIfAbsent(Layout.segmentOf(entryKey), segment -> new HashSet<>())
                .add(ByteBuffer.wrap(entryKey));
    }

    boolean isWritten(byte[] entryKey) {
        return written.getOrDefault(Layout.segmentOf(entryKey), Set.of()).contains(ByteBuffer.wrap(entryKey));
    }

    void forget() {
        written.clear();
    }

    void forget(int segment) {
        written.remove(segment);
    }
}
