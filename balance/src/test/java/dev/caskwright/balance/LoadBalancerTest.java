package dev.caskwright.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Leases, changes of the list, ejection, warm-up, and discovery; time is a number that the tests set. */
final class LoadBalancerTest {
    private static final Endpoint A = Endpoint.of("a", 1);
    private static final Endpoint B = Endpoint.of("b", 2);
    private static final Endpoint C = Endpoint.of("c", 3);
    private static final Endpoint D = Endpoint.of("d", 4);

    private final AtomicLong nanos = new AtomicLong();

    private LoadBalancer<String> balancer(OutlierFilter outliers, Duration warmUp) {
        return new LoadBalancer<>(
                Strategies.roundRobin(() -> new Random(1)),
                outliers,
                warmUp,
                () -> Instant.ofEpochMilli(1_000_000 + nanos.get() / 1_000_000),
                nanos::get);
    }

    private static List<String> picks(LoadBalancer<String> balancer, int count) {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ids.add(balancer.choose("key").id());
        }
        return ids;
    }

    private static void fail(LoadBalancer<String> balancer, Endpoint endpoint, int times) {
        int failed = 0;
        while (failed < times) {
            try (Pick pick = balancer.pick("key")) {
                if (pick.endpoint().equals(endpoint)) {
                    pick.failed();
                    failed++;
                }
            }
        }
    }

    @Test
    void withoutEndpointsTheErrorSaysSo() {
        LoadBalancer<String> balancer = balancer(null, Duration.ZERO);
        assertThatThrownBy(() -> balancer.pick("key"))
                .isInstanceOf(NoEndpointException.class)
                .hasMessageContaining("empty");
        balancer.update(ServiceList.of(A.withWeight(0), B.withWeight(0)));
        assertThatThrownBy(() -> balancer.choose("key"))
                .isInstanceOf(NoEndpointException.class)
                .hasMessageContaining("weight 0");
    }

    @Test
    void aDrainedEndpointGetsNothingNew() {
        LoadBalancer<String> balancer = balancer(null, Duration.ZERO);
        balancer.update(ServiceList.of(A, B));
        Pick pick = balancer.pick("key");
        while (!pick.endpoint().equals(A)) {
            pick.close();
            pick = balancer.pick("key");
        }
        balancer.update(ServiceList.of(A.withWeight(0), B));
        assertThat(picks(balancer, 10)).containsOnly(B.id());
        assertThat(balancer.active(A)).isOne();
        pick.close();
        pick.close();
        assertThat(balancer.active(A)).isZero();
    }

    @Test
    void aRequestThatThrowsLeaksNoCount() {
        LoadBalancer<String> balancer = balancer(null, Duration.ZERO);
        balancer.update(ServiceList.of(A, B));
        for (int i = 0; i < 100; i++) {
            assertThatThrownBy(() -> {
                        try (Pick pick = balancer.pick("key")) {
                            throw new IOException(pick.endpoint().id());
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
        assertThat(balancer.active(A) + balancer.active(B)).isZero();
    }

    @Test
    void anEndpointThatFailsAgainAndAgainIsLeftOutForAWhile() {
        LoadBalancer<String> balancer = balancer(new OutlierFilter(3, Duration.ofMillis(100)), Duration.ZERO);
        balancer.update(ServiceList.of(A, B, C, D));
        fail(balancer, A, 2);
        assertThat(picks(balancer, 8)).contains(A.id());
        fail(balancer, A, 1);
        assertThat(picks(balancer, 30)).doesNotContain(A.id());
        nanos.addAndGet(Duration.ofMillis(101).toNanos());
        assertThat(picks(balancer, 8)).contains(A.id());
        fail(balancer, A, 1); // on trial: one more is enough, and for twice as long
        nanos.addAndGet(Duration.ofMillis(150).toNanos());
        assertThat(picks(balancer, 30)).doesNotContain(A.id());
        nanos.addAndGet(Duration.ofMillis(51).toNanos());
        assertThat(picks(balancer, 8)).contains(A.id());
    }

    @Test
    void neverMoreThanHalfAreLeftOut() {
        LoadBalancer<String> balancer = balancer(new OutlierFilter(1, Duration.ofSeconds(1)), Duration.ZERO);
        balancer.update(ServiceList.of(A, B, C, D));
        fail(balancer, A, 1);
        fail(balancer, B, 1);
        fail(balancer, C, 5);
        fail(balancer, D, 5);
        assertThat(picks(balancer, 20)).containsOnly(C.id(), D.id());
    }

    @Test
    void aYoungServerGetsLittleAtFirst() {
        LoadBalancer<String> balancer = new LoadBalancer<>(
                Strategies.smoothWeightedRoundRobin(() -> new Random(1)),
                null,
                Duration.ofMinutes(10),
                () -> Instant.ofEpochMilli(1_000_000 + nanos.get() / 1_000_000),
                nanos::get);
        balancer.update(ServiceList.of(A.withWeight(100).startedAt(1_000_000), B.withWeight(100)));
        assertThat(picks(balancer, 1_010)).filteredOn(A.id()::equals).hasSizeLessThan(20);
        nanos.addAndGet(Duration.ofMinutes(5).toNanos());
        assertThat(picks(balancer, 900)).filteredOn(A.id()::equals).hasSizeBetween(295, 305);
        nanos.addAndGet(Duration.ofMinutes(6).toNanos());
        assertThat(picks(balancer, 1_000)).filteredOn(A.id()::equals).hasSizeBetween(495, 505);
        // Weeks later nothing has run over.
        nanos.addAndGet(Duration.ofDays(60).toNanos());
        assertThat(picks(balancer, 1_000)).filteredOn(A.id()::equals).hasSizeBetween(495, 505);
    }

    @Test
    void endpointsOfTheOwnZoneComeFirstWhileThereAreAny() {
        ServiceList list = ServiceList.of(
                A.inZone("east"), B.inZone("west"), C.inZone("east").withWeight(0));
        assertThat(list.preferring("east").endpoints()).containsExactly(A.inZone("east"));
        assertThat(list.preferring("north")).isEqualTo(list);
    }

    @Test
    void twoEndpointsOfOneIdAreRefused() {
        assertThatThrownBy(() -> ServiceList.of(A, A.withWeight(3)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(A.id());
    }

    @Test
    void theLastListStaysInForceWhileTheSourceFailsOrIsEmpty() throws IOException {
        AtomicReference<Object> answer = new AtomicReference<>(ServiceList.of(A, B));
        List<ServiceList> seen = new ArrayList<>();
        ManualScheduler scheduler = new ManualScheduler();
        PolledDiscovery discovery = new PolledDiscovery(
                () -> {
                    if (answer.get() instanceof IOException e) {
                        throw e;
                    }
                    return (ServiceList) answer.get();
                },
                Duration.ofSeconds(1),
                Duration.ofSeconds(3),
                scheduler);
        Discovery.Watch watch = discovery.watch(seen::add);
        assertThat(seen).containsExactly(ServiceList.of(A, B));
        answer.set(new IOException("registry away"));
        scheduler.runAll();
        assertThat(discovery.failure()).hasMessage("registry away");
        answer.set(ServiceList.empty());
        scheduler.runAll();
        scheduler.runAll();
        assertThat(seen).hasSize(1);
        answer.set(ServiceList.of(A));
        scheduler.runAll();
        assertThat(seen).hasSize(2);
        answer.set(ServiceList.empty());
        for (int i = 0; i < 4; i++) {
            scheduler.runAll();
        }
        assertThat(seen).hasSize(3).last().isEqualTo(ServiceList.empty());
        watch.close();
        answer.set(ServiceList.of(B));
        scheduler.runAll();
        assertThat(seen).hasSize(3);
        scheduler.shutdownNow();
    }

    @Test
    void endpointsAreReadFromAFile(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("endpoints");
        Files.writeString(file, "# servers\n\nhost-a:6379\nhost-b:6380 5 east # heavy\n[::1]:6381 2\n");
        assertThat(Sources.file(file).endpoints().endpoints())
                .extracting(Endpoint::host, Endpoint::port, Endpoint::weight, Endpoint::zone)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("::1", 6381, 2, ""),
                        org.assertj.core.groups.Tuple.tuple("host-a", 6379, 1, ""),
                        org.assertj.core.groups.Tuple.tuple("host-b", 6380, 5, "east"));
        for (String bad : List.of("host-a", "host-a:x", "host-a:6379 many", ":", "host-a:0")) {
            Files.writeString(file, "good:1\n" + bad + "\n");
            assertThatThrownBy(() -> Sources.file(file).endpoints())
                    .as(bad)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("line=2");
        }
        assertThat(Sources.dns("127.0.0.1", 9).endpoints().endpoints()).hasSize(1);
    }
}
