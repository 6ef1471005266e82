package dev.caskwright.raft;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.testkit.ConditionalWritesContract;
import dev.caskwright.testkit.ExpiryContract;
import dev.caskwright.testkit.OrderedViewContract;
import dev.caskwright.testkit.StorageEngineContract;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** What every store must do, over a group of one; but for what a member promises otherwise. */
@Tag("campaign")
@ExtendWith(ReplicatedContractTest.Otherwise.class)
final class ReplicatedContractTest extends StorageEngineContract
        implements ConditionalWritesContract, ExpiryContract, OrderedViewContract {
    /** What does not hold for a member, and why. */
    private static final Map<String, String> OTHERWISE = Map.of(
            "whatWasWrittenIsInTheDirectoryForTheNextProcess", "a member without its log is refused",
            "aClosedStoreIsAllInItsDirectory", "a member without its log is refused",
            "theFacetsHeldAreThoseWhoseContractsAreRun", "a backup is a store, and not the directory of a member");

    static final class Otherwise implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            String reason = context.getTestMethod()
                    .map(method -> OTHERWISE.get(method.getName()))
                    .orElse(null);
            return reason == null
                    ? ConditionEvaluationResult.enabled("it holds for a member")
                    : ConditionEvaluationResult.disabled(reason);
        }
    }

    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        int port = Cluster.freePorts(1).get(0);
        RaftNodeBuilder builder = RaftNode.builder(directory)
                .group("contract")
                .id("n1")
                .members(List.of(new RaftMember("n1", "127.0.0.1", port)))
                .electionTimeout(Duration.ofMillis(50))
                .requestTimeout(Duration.ofMinutes(2))
                .maxCommandBytes(16 << 20)
                .clock(clock)
                .store(options -> options.index(BTreeKeyIndex::new).maxFileBytes(4096));
        RaftNode node = builder.open();
        return onTime(node, ReplicatedEngine.owning(node), clock);
    }

    /** Returns the engine with the time logged before each call, if the clock has moved: a member would do it a little later. */
    private static StorageEngine onTime(RaftNode node, ReplicatedEngine engine, InstantSource clock) {
        long[] logged = {clock.millis()};
        return (StorageEngine) Proxy.newProxyInstance(
                ReplicatedContractTest.class.getClassLoader(),
                new Class<?>[] {StorageEngine.class, ConditionalWrites.class, Expiry.class},
                (proxy, method, arguments) -> {
                    synchronized (logged) {
                        if (clock.millis() != logged[0] && !node.isClosed()) {
                            logged[0] = clock.millis();
                            node.submit(ReplicatedEngine.KIND, EngineCommands.TICK)
                                    .join();
                        }
                    }
                    try {
                        Object result = method.invoke(engine, arguments);
                        boolean isItself = result instanceof Optional<?> facet && facet.orElse(null) == engine;
                        return isItself ? Optional.of(proxy) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
