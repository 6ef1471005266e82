package dev.caskwright.discovery.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.balance.Discovery;
import dev.caskwright.balance.Endpoint;
import dev.caskwright.balance.ServiceList;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.test.TestingServer;
import org.apache.curator.utils.CloseableUtils;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers that register with ZooKeeper, and those who look for them, while sessions end and the registry comes and goes. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ZooKeeperDiscoveryTest {
    private static final String PATH = "/caskwright/test";
    private static final Endpoint ONE = Endpoint.of("10.0.0.1", 6379);
    private static final Endpoint TWO = new Endpoint("two", "::1", 6380, 5, "zone a", 1_767_225_600_000L);

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<ServiceList> told = new CopyOnWriteArrayList<>();
    private final BlockingQueue<ServiceList> heard = new LinkedBlockingQueue<>();
    private TestingServer registry;

    @BeforeEach
    void start() throws Exception {
        // Otherwise each server listens at port 8080 as well.
        System.setProperty("zookeeper.admin.enableServer", "false");
        registry = new TestingServer();
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        CloseableUtils.closeQuietly(registry);
    }

    private <T extends AutoCloseable> T opened(T each) {
        opened.add(0, each);
        return each;
    }

    private CuratorFramework client() {
        CuratorFramework client =
                CuratorFrameworkFactory.newClient(registry.getConnectString(), 15_000, 5_000, new RetryForever(50));
        client.start();
        return opened(client);
    }

    private ZooKeeperRegistration register(CuratorFramework client, Endpoint endpoint) throws Exception {
        ZooKeeperRegistration registration = opened(ZooKeeperRegistration.register(client, PATH, endpoint));
        assertThat(registration.await(Duration.ofSeconds(60))).isTrue();
        return registration;
    }

    private void watch(Duration heldBack) {
        Discovery discovery = new ZooKeeperDiscovery(client(), PATH, heldBack, Duration.ofSeconds(60));
        opened(discovery.watch(list -> {
            told.add(list);
            heard.add(list);
        }));
    }

    private void awaitList(Endpoint... endpoints) throws InterruptedException {
        ServiceList expected = ServiceList.of(endpoints);
        ServiceList list = heard.take();
        while (!list.equals(expected)) {
            list = heard.take();
        }
    }

    @Test
    void whatIsRegisteredIsFoundWithAllThatIsKnownOfIt() throws Exception {
        CuratorFramework server = client();
        register(server, ONE);
        watch(Duration.ofHours(1));
        // The first list is there when watch returns.
        assertThat(told).containsExactly(ServiceList.of(ONE));
        awaitList(ONE);
        ZooKeeperRegistration two = register(server, TWO);
        awaitList(ONE, TWO);
        two.update(TWO.withWeight(0));
        awaitList(ONE, TWO.withWeight(0));
        two.close();
        awaitList(ONE);
        assertThatThrownBy(() -> two.update(ONE)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Two nodes of one id would make a list that is none, and so keep every other change from everybody. */
    @Test
    void aNodeThatWritesTheIdOfAnotherInAnotherWayIsPassedOver() throws Exception {
        CuratorFramework server = client();
        register(server, ONE);
        server.create().forPath(PATH + "/10.0.0.1:6379", EndpointNode.data(TWO));
        server.create().forPath(PATH + "/%31", EndpointNode.data(TWO));
        watch(Duration.ofHours(1));
        awaitList(ONE);
        ZooKeeperRegistration dots = register(server, new Endpoint("..", "10.0.0.3", 1, 1, "", 0));
        awaitList(ONE, new Endpoint("..", "10.0.0.3", 1, 1, "", 0));
        dots.close();
        awaitList(ONE);
    }

    @Test
    void aServerIsThereAgainAfterItsSessionWasLost() throws Exception {
        CuratorFramework server = client();
        register(server, ONE);
        watch(Duration.ofHours(1));
        long session = owner(server);
        server.getZookeeperClient().getZooKeeper().getTestable().injectSessionExpiration();
        long now = session;
        while (now == session || now == 0) {
            now = owner(server);
        }
        // Whether or not the node was away for a moment, nobody was told of no server at all.
        register(client(), TWO);
        awaitList(ONE, TWO);
        assertThat(told).doesNotContain(ServiceList.empty());
    }

    private static long owner(CuratorFramework client) throws Exception {
        Stat stat = client.checkExists().forPath(PATH + "/" + EndpointNode.name(ONE));
        return stat == null ? 0 : stat.getEphemeralOwner();
    }

    @Test
    void theLastListStaysWhileTheRegistryIsAway() throws Exception {
        CuratorFramework server = client();
        register(server, ONE);
        register(server, TWO);
        watch(Duration.ofHours(1));
        awaitList(ONE, TWO);
        registry.stop();
        registry.restart();
        Endpoint three = Endpoint.of("10.0.0.3", 1);
        register(client(), three);
        awaitList(ONE, TWO, three);
        assertThat(told).doesNotContain(ServiceList.empty());
    }

    @Test
    void aListWithoutServersIsHeldBack() throws Exception {
        CuratorFramework server = client();
        ZooKeeperRegistration one = register(server, ONE);
        watch(Duration.ofHours(1));
        one.close();
        while (server.checkExists().forPath(PATH + "/" + EndpointNode.name(ONE)) != null) {
            Thread.onSpinWait();
        }
        register(server, TWO);
        awaitList(TWO);
        assertThat(told).doesNotContain(ServiceList.empty());
    }

    @Test
    void aListThatStaysWithoutServersIsBelieved() throws Exception {
        CuratorFramework server = client();
        ZooKeeperRegistration one = register(server, ONE);
        watch(Duration.ofMillis(100));
        awaitList(ONE);
        one.close();
        awaitList();
    }

    @Test
    void nobodyIsThereAtFirst() throws Exception {
        watch(Duration.ofHours(1));
        awaitList();
        register(client(), ONE);
        awaitList(ONE);
    }

    @Test
    void whatIsNoServerIsPassedOver() throws Exception {
        CuratorFramework server = client();
        for (String data :
                List.of("", "port=x", "host=h\nport=70000", "host=h\nport=1\nweight=-1", "x".repeat(5_000))) {
            server.create()
                    .creatingParentsIfNeeded()
                    .forPath(PATH + "/bad" + data.length(), data.getBytes(StandardCharsets.UTF_8));
        }
        server.create().forPath(PATH + "/good", "host=h\nport=7\nsomething=new\n".getBytes(StandardCharsets.UTF_8));
        watch(Duration.ofHours(1));
        awaitList(new Endpoint("good", "h", 7, 1, "", 0));
    }

    @Test
    void anIdMayHaveAnyCharacter() throws Exception {
        Endpoint odd = new Endpoint("a/b c%\u00e4", "h", 1, 1, "", 0);
        register(client(), odd);
        watch(Duration.ofHours(1));
        awaitList(odd);
    }
}
