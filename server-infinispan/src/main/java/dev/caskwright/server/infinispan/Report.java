package dev.caskwright.server.infinispan;

import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a node tells the others of itself.
 *
 * @param id its id
 * @param phase what it does
 * @param host where clients reach it
 * @param clientPort its port for clients
 * @param segments in how many parts it has the slots
 * @param owners how many nodes have each key, as it is told
 * @param origin that of the cluster; before it runs, the one that it proposes
 * @param epoch that of the cluster, or 0 before it runs
 * @param ready the moment, see {@link Standing#moment}, from which it is ready to have the cluster go on; {@code -} if from none
 * @param standing where it stands, or stood before it was started; null if it never ran
 */
record Report(
        String id,
        Phase phase,
        String host,
        int clientPort,
        int segments,
        int owners,
        String origin,
        long epoch,
        String ready,
        @Nullable Standing standing) {

    /** Ready for nothing. */
    static final String NOT = "-";

    /** What a node does. */
    enum Phase {
        /** It waits for others. */
        WAITING,
        /** It serves keys. */
        RUNNING,
        /** It is in a part of the cluster that refuses to serve some keys. */
        DEGRADED,
        /** It is about to end. */
        LEAVING
    }

    String text() {
        return id + " " + phase.name() + " " + host + " " + clientPort + " " + segments + " " + owners + " " + origin
                + " "
                + epoch + " " + ready + "\n"
                + (standing == null ? "" : standing.text());
    }

    static Report parse(String text) throws IOException {
        int end = text.indexOf('\n');
        String[] words = text.substring(0, Math.max(0, end)).split(" ", -1);
        if (words.length != 9) {
            throw new IOException("what another node tells of itself is not understood: " + text);
        }
        try {
            return new Report(
                    words[0],
                    Phase.valueOf(words[1].toUpperCase(Locale.ROOT)),
                    words[2],
                    Integer.parseInt(words[3]),
                    Integer.parseInt(words[4]),
                    Integer.parseInt(words[5]),
                    words[6],
                    Long.parseLong(words[7]),
                    words[8],
                    end + 1 == text.length() ? null : Standing.parse(text.substring(end + 1)));
        } catch (IllegalArgumentException e) {
            throw new IOException("what another node tells of itself is not understood: " + text, e);
        }
    }
}
