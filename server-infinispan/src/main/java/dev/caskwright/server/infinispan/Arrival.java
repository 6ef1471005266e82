package dev.caskwright.server.infinispan;

import dev.caskwright.server.infinispan.Report.Phase;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a node that was started does, once it sees the others. What it has on its disk is the newest only if nobody went on without it:
 *
 * <ul>
 *   <li>If others run, they went on. The node drops what it has, and gets its part from them.
 *   <li>If nobody runs, those who were there last have the newest; they start together, with all that they have, once all of them are
 *       there. Others wait until these run.
 *   <li>If nobody ever ran, all nodes begin together once all are there. So an empty node never begins without those that have data.
 * </ul>
 *
 * @param kind what it does
 * @param origin that of the cluster, or empty while it waits
 * @param epoch that of the cluster from now on
 * @param standing where the cluster stood, if it goes on from there; while the node waits, where it is to be ready to go on from
 * @param reason what it waits for
 */
record Arrival(
        Kind kind, String origin, long epoch, @Nullable Standing standing, String reason) {
    /** What a node does. */
    enum Kind {
        /** It waits for others. */
        WAIT,
        /** It begins a cluster. */
        BEGIN,
        /** It goes on with what it has, together with others. */
        GO_ON,
        /** It drops what it has and joins those that run. */
        JOIN
    }

    private static Arrival waitFor(String reason) {
        return new Arrival(Kind.WAIT, "", 0, null, reason);
    }

    /**
     * Returns what a node does.
     *
     * @param expected the ids of the nodes that it is told of
     * @param self what it tells of itself
     * @param reports what all nodes that are there tell of themselves, itself among them
     * @throws IOException if what it has is that of another cluster, or it is told something else than the others
     */
    static Arrival of(Collection<String> expected, Report self, Collection<Report> reports) throws IOException {
        Standing own = self.standing();
        for (Report report : reports) {
            // Keys would be looked for in the wrong segments, and a number of owners that only some nodes have would be
            // nobody's.
            check("cache-segments", self, self.segments(), report, report.segments());
            check("cache-owners", self, self.owners(), report, report.owners());
        }
        for (Report report : reports) {
            boolean isSelf = report.equals(self);
            if (!isSelf && report.id().equals(self.id())) {
                return waitFor("a node of the same id is there: " + self.id());
            }
            if (!isSelf && report.phase() == Phase.RUNNING) {
                return join(own, self, report);
            }
        }
        for (Report report : reports) {
            if (report.phase() == Phase.DEGRADED) {
                return waitFor("the nodes that run are not all of the cluster, and refuse to go on without the rest;"
                        + " if the rest does not come back, start all of them anew");
            }
        }
        for (Report report : reports) {
            if (report.phase() == Phase.LEAVING) {
                return waitFor("a node is about to end: " + report.id());
            }
        }
        List<Standing> standings =
                reports.stream().map(Report::standing).filter(Objects::nonNull).toList();
        if (standings.isEmpty()) {
            return begin(expected, reports);
        }
        Standing newest = standings.get(0);
        for (Standing standing : standings) {
            if (!standing.origin().equals(newest.origin())) {
                throw new IOException("nodes have data of different clusters: " + newest.node() + " of "
                        + newest.origin() + ", " + standing.node() + " of " + standing.origin()
                        + "; nothing was changed. Start the one that is wrong with an empty directory");
            }
            newest = standing.isLaterThan(newest) ? standing : newest;
        }
        return goOn(newest, self, reports);
    }

    private static void check(String option, Report self, int own, Report other, int others) throws IOException {
        if (own != others) {
            throw new IOException("nodes are told different things: option=" + option + ", " + self.id() + "=" + own
                    + ", " + other.id() + "=" + others + "; nothing was changed. Give all nodes the same; the number of"
                    + " owners can change when all are stopped, that of segments never");
        }
    }

    private static Arrival join(@Nullable Standing own, Report self, Report running) throws IOException {
        if (own != null && !own.origin().equals(running.origin())) {
            throw new IOException("the directory holds data of another cluster than the one that runs: node="
                    + self.id() + ", origin=" + own.origin() + ", running=" + running.origin()
                    + "; nothing was changed. Give the node an empty directory, or the cluster another name");
        }
        Standing standing = running.standing();
        if (standing == null || standing.members().contains(self.id())) {
            return waitFor("the nodes that run still count on what this node had before it ended");
        }
        return new Arrival(Kind.JOIN, running.origin(), running.epoch(), null, "");
    }

    private static Arrival begin(Collection<String> expected, Collection<Report> reports) {
        List<String> missing = new ArrayList<>(expected);
        reports.forEach(report -> missing.remove(report.id()));
        if (!missing.isEmpty()) {
            return waitFor(
                    "a cluster begins when all nodes of cache-peers are there, or one that runs; missing=" + missing);
        }
        Report first = reports.stream().min(Comparator.comparing(Report::id)).orElseThrow();
        return new Arrival(Kind.BEGIN, first.origin(), 1, null, "");
    }

    private static Arrival goOn(Standing newest, Report self, Collection<Report> reports) {
        List<String> missing = new ArrayList<>(newest.members());
        reports.forEach(report -> missing.remove(report.id()));
        if (!missing.isEmpty()) {
            return waitFor("the nodes that were there last start together; missing=" + missing);
        }
        String moment = newest.moment();
        if (!reports.stream().allMatch(report -> report.ready().equals(moment))) {
            return new Arrival(Kind.WAIT, "", 0, newest, "the nodes that are there get ready to go on");
        }
        if (!newest.members().contains(self.id())) {
            return new Arrival(
                    Kind.WAIT,
                    "",
                    0,
                    newest,
                    "the nodes that were there last go on without this one, which joins them then: "
                            + newest.members());
        }
        return new Arrival(Kind.GO_ON, newest.origin(), newest.epoch() + 1, newest, "");
    }
}
