package dev.caskwright.server.infinispan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.server.infinispan.Arrival.Kind;
import dev.caskwright.server.infinispan.Report.Phase;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a node does with what it has, by what the others tell: who was away never takes the place of who has the newest. */
final class ArrivalTest {
    private static final List<String> ALL = List.of("n0", "n1", "n2");

    private static Standing standing(String node, String origin, long epoch, int topology, String... members) {
        return new Standing(node, "c", origin, 256, epoch, topology, List.of(members), Map.of("key", "value=1"));
    }

    private static Report report(String id, Phase phase, String origin, String ready, @Nullable Standing standing) {
        return new Report(id, phase, "127.0.0.1", 6379, 256, 2, origin, 1, ready, standing);
    }

    private static Report waiting(String id, @Nullable Standing standing) {
        return report(id, Phase.WAITING, "proposed-by-" + id, Report.NOT, standing);
    }

    private static Arrival of(Report self, Report... others) throws IOException {
        List<Report> all = new java.util.ArrayList<>(List.of(others));
        all.add(self);
        return Arrival.of(ALL, self, all);
    }

    @Test
    void nodesThatNeverRanBeginWhenAllAreThere() throws IOException {
        Report self = waiting("n1", null);
        assertThat(of(self, waiting("n0", null)).kind()).isEqualTo(Kind.WAIT);
        Arrival arrival = of(self, waiting("n0", null), waiting("n2", null));
        assertThat(arrival.kind()).isEqualTo(Kind.BEGIN);
        assertThat(arrival.origin()).isEqualTo("proposed-by-n0");
    }

    @Test
    void anEmptyNodeNeverBeginsWithoutThoseThatHaveData() throws IOException {
        Report old = waiting("n0", standing("n0", "o", 1, 7, "n0", "n2"));
        Arrival arrival = of(waiting("n1", null), old, waiting("n2", null));
        assertThat(arrival.kind()).isEqualTo(Kind.WAIT);
    }

    @Test
    void thoseWhoWereThereLastGoOnTogether() throws IOException {
        Standing newest = standing("n0", "o", 1, 7, "n0", "n1");
        Standing older = standing("n1", "o", 1, 6, "n0", "n1", "n2");
        assertThat(of(waiting("n0", newest)).kind()).isEqualTo(Kind.WAIT);
        assertThat(of(waiting("n1", older), waiting("n2", older)).reason()).contains("missing=[n0]");
        // First all get ready, so that whoever is asked by Infinispan knows.
        Arrival wait = of(waiting("n0", newest), waiting("n1", older), waiting("n2", older));
        assertThat(wait.kind()).isEqualTo(Kind.WAIT);
        assertThat(wait.standing()).isEqualTo(newest);
        Report first = report("n0", Phase.WAITING, "x", newest.moment(), newest);
        Report second = report("n1", Phase.WAITING, "x", newest.moment(), older);
        Report away = report("n2", Phase.WAITING, "x", newest.moment(), older);
        for (Report self : List.of(first, second)) {
            Arrival arrival = of(self, self == first ? second : first, away);
            assertThat(arrival.kind()).isEqualTo(Kind.GO_ON);
            assertThat(arrival.standing()).isEqualTo(newest);
            assertThat(arrival.epoch()).isEqualTo(2);
        }
        assertThat(of(away, first, second).kind()).isEqualTo(Kind.WAIT);
    }

    @Test
    void aNodeThatWasAwayJoinsOnceNobodyCountsOnItsLastLife() throws IOException {
        Report self = waiting("n2", standing("n2", "o", 1, 6, "n0", "n1", "n2"));
        Report counting = report("n0", Phase.RUNNING, "o", Report.NOT, standing("n0", "o", 1, 6, "n0", "n1", "n2"));
        assertThat(of(self, counting).kind()).isEqualTo(Kind.WAIT);
        Report running = report("n0", Phase.RUNNING, "o", Report.NOT, standing("n0", "o", 1, 7, "n0", "n1"));
        assertThat(of(self, running).kind()).isEqualTo(Kind.JOIN);
        assertThat(of(waiting("n2", null), running).kind()).isEqualTo(Kind.JOIN);
        Report degraded = report("n0", Phase.DEGRADED, "o", Report.NOT, standing("n0", "o", 1, 7, "n0", "n1"));
        assertThat(of(self, degraded).kind()).isEqualTo(Kind.WAIT);
        Report leaving = report("n0", Phase.LEAVING, "o", Report.NOT, standing("n0", "o", 1, 7, "n0"));
        assertThat(of(self, leaving).kind()).isEqualTo(Kind.WAIT);
    }

    @Test
    void dataOfAnotherClusterIsAnError() {
        Report self = waiting("n2", standing("n2", "other", 9, 9, "n2"));
        Report running = report("n0", Phase.RUNNING, "o", Report.NOT, standing("n0", "o", 1, 7, "n0", "n1"));
        assertThatThrownBy(() -> of(self, running))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another cluster");
        Report waiting = waiting("n0", standing("n0", "o", 1, 7, "n0", "n1"));
        assertThatThrownBy(() -> of(self, waiting))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("different clusters");
    }

    @Test
    void nodesThatAreToldDifferentThingsDoNotStart() {
        Report self = waiting("n2", null);
        Report segments = new Report("n0", Phase.WAITING, "127.0.0.1", 6379, 512, 2, "o", 0, Report.NOT, null);
        assertThatThrownBy(() -> of(self, segments))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("option=cache-segments, n2=256, n0=512");
        Report owners = new Report("n0", Phase.RUNNING, "127.0.0.1", 6379, 256, 3, "o", 1, Report.NOT, null);
        assertThatThrownBy(() -> of(self, owners))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("option=cache-owners, n2=2, n0=3");
    }

    @Test
    void whatIsToldIsReadBack() throws IOException {
        Report report = report("n0", Phase.RUNNING, "o", "1.7", standing("n0", "o", 1, 7, "n0", "n1"));
        assertThat(Report.parse(report.text())).isEqualTo(report);
        Report empty = waiting("n1", null);
        assertThat(Report.parse(empty.text())).isEqualTo(empty);
        assertThatThrownBy(() -> Report.parse("n0 RUNNING\n")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> Standing.parse("format=2\n"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("format=2");
    }
}
