package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.infinispan.context.Flag;
import org.infinispan.factories.GlobalComponentRegistry;
import org.infinispan.partitionhandling.AvailabilityMode;
import org.infinispan.remoting.transport.Transport;
import org.infinispan.remoting.transport.jgroups.JGroupsTransport;
import org.jgroups.JChannel;
import org.jgroups.protocols.DISCARD;
import org.jgroups.protocols.FD_ALL3;
import org.jgroups.protocols.TP;
import org.jgroups.stack.ProtocolStack;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.UnifiedJedis;

/**
 * Nodes that live and do not hear of each other: each drops what it gets from the other side, as a network that is cut does. The part with
 * the majority serves, the other one refuses, and when they hear of each other again, nothing that was acknowledged is lost, and nothing
 * that was deleted comes back.
 */
final class SplitTest {
    private static final int KEYS = 200;
    private static final int CUT_OFF = 2;
    private static final long PATIENCE_NANOS = 120_000_000_000L;

    @TempDir
    Path directory;

    private static JChannel channel(TestNodes nodes, int i) {
        JGroupsTransport transport = (JGroupsTransport)
                GlobalComponentRegistry.componentOf(nodes.node(i).node().manager(), Transport.class);
        return transport.getChannel();
    }

    /** Has a node hear nothing of the others, and the others nothing of it. */
    private static void cut(TestNodes nodes) throws Exception {
        for (int i = 0; i < 3; i++) {
            DISCARD discard = new DISCARD();
            for (int other = 0; other < 3; other++) {
                if (other != i && (other == CUT_OFF || i == CUT_OFF)) {
                    discard.addIgnoreMember(channel(nodes, other).getAddress());
                }
            }
            channel(nodes, i).getProtocolStack().insertProtocol(discard, ProtocolStack.Position.ABOVE, TP.class);
        }
    }

    private static void heal(TestNodes nodes) {
        for (int i = 0; i < 3; i++) {
            channel(nodes, i).getProtocolStack().removeProtocol(DISCARD.class);
        }
    }

    private static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static boolean isAvailable(TestNodes nodes, int i) {
        return nodes.node(i).node().keys().getAvailability() == AvailabilityMode.AVAILABLE;
    }

    private static int members(TestNodes nodes, int i) {
        return nodes.node(i).node().manager().getMembers().size();
    }

    @Test
    void theMinorityRefusesTheMajorityServesAndNothingIsLostWhenTheyMeet() throws Exception {
        try (TestNodes nodes = new TestNodes(directory, 3, 3)
                .with("cache-timeout", "5000")
                .with("cache-when-split", "deny-read-writes")) {
            nodes.startAll(0, 1, 2);
            nodes.awaitOwners(0, 3);
            for (int i = 0; i < 3; i++) {
                FD_ALL3 detection = channel(nodes, i).getProtocolStack().findProtocol(FD_ALL3.class);
                detection.setTimeout(2_000).setInterval(500);
            }
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    client.set("key" + i, "value" + i);
                }
            }
            cut(nodes);
            await("the parts are apart", () -> members(nodes, 0) == 2 && members(nodes, CUT_OFF) == 1);
            await("the minority refuses", () -> !isAvailable(nodes, CUT_OFF));
            nodes.awaitOwners(0, 2);
            assertThat(isAvailable(nodes, 0)).isTrue();
            try (Jedis client = nodes.client(CUT_OFF)) {
                for (int i = 0; i < KEYS; i++) {
                    String key = "key" + i;
                    assertThatThrownBy(() -> client.set(key, "lost")).hasMessageMatching("(CLUSTERDOWN|MOVED).*");
                    assertThatThrownBy(() -> client.get(key)).hasMessageMatching("(CLUSTERDOWN|MOVED).*");
                }
            }
            try (UnifiedJedis client = nodes.cluster(0)) {
                for (int i = 0; i < KEYS; i++) {
                    assertThat(client.get("key" + i)).isEqualTo("value" + i);
                }
                for (int i = 0; i < KEYS / 4; i++) {
                    assertThat(client.del("key" + i)).isEqualTo(1);
                }
                for (int i = KEYS / 4; i < KEYS / 2; i++) {
                    client.set("key" + i, "newer" + i);
                }
            }
            heal(nodes);
            await("they are together", () -> members(nodes, 0) == 3 && members(nodes, CUT_OFF) == 3);
            await("all serve", () -> isAvailable(nodes, 0) && isAvailable(nodes, 1) && isAvailable(nodes, CUT_OFF));
            nodes.awaitOwners(0, 3);
            nodes.awaitOwners(CUT_OFF, 3);
            for (int node : new int[] {0, CUT_OFF}) {
                try (UnifiedJedis client = nodes.cluster(node)) {
                    for (int i = 0; i < KEYS; i++) {
                        assertThat(client.get("key" + i))
                                .as("key%d by node %d", i, node)
                                .isEqualTo(value(i));
                    }
                }
            }
            long copies = 0;
            for (int i = 0; i < 3; i++) {
                copies += nodes.node(i)
                        .node()
                        .keys()
                        .withFlags(Flag.CACHE_MODE_LOCAL)
                        .size();
            }
            assertThat(copies).isEqualTo(2 * (KEYS - KEYS / 4));
        }
    }

    private static String value(int i) {
        if (i < KEYS / 4) {
            return null;
        }
        return i < KEYS / 2 ? "newer" + i : "value" + i;
    }
}
