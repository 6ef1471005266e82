package dev.caskwright.raft;

import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a member finds out about the others by asking them, and by being asked: whether they are who they should be, how their clocks
 * differ from its own, and what they say of themselves. Safe for any number of threads.
 */
final class Lookout {
    /** How often the others are asked. */
    static final long PERIOD_MILLIS = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(Lookout.class);
    private static final long SOON_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long STALE_NANOS = TimeUnit.MILLISECONDS.toNanos(3 * PERIOD_MILLIS);

    /** More strangers than this are not told apart. */
    private static final int MOST_TOLD = 100;

    /** What is asked with. */
    interface Group {
        /** Returns what this member says of itself. */
        Hello self();

        /** Asks a member. */
        CompletableFuture<ByteBuffer> ask(RaftMember member, byte[] hello);

        /** The clock has been compared for the first time: entries may be timed. */
        void compared();
    }

    /** A warning of what another member said, and when. */
    private record Told(String warning, long nanos) {}

    private final RaftMember self;
    private final Group group;
    private final EntryClock clock;
    private final InstantSource source;
    private final Map<String, String> abouts = new ConcurrentHashMap<>();
    private final Map<String, Told> told = new ConcurrentHashMap<>();
    private volatile List<String> found = List.of();
    private volatile long lastNanos = System.nanoTime();

    Lookout(RaftMember self, Group group, EntryClock clock, InstantSource source) {
        this.self = self;
        this.group = group;
        this.clock = clock;
        this.source = source;
    }

    /** Returns what is wrong, in sentences. */
    List<String> warnings() {
        List<String> all = new ArrayList<>(found);
        for (Told each : told.values()) {
            if (System.nanoTime() - each.nanos < STALE_NANOS) {
                all.add(each.warning);
            }
        }
        return all;
    }

    /** Adds a warning, until the others are asked the next time. */
    void warn(String warning) {
        LOG.warn("{}: {}", self.id(), warning);
        synchronized (this) {
            List<String> more = new ArrayList<>(found);
            more.remove(warning);
            more.add(warning);
            found = List.copyOf(more);
        }
    }

    /** Returns what a member last said of itself; empty if it said nothing. */
    String about(String id) {
        return abouts.getOrDefault(id, "");
    }

    /** Returns whether the others should be asked before it is time. */
    boolean isSoonDue(boolean isLeader) {
        long since = System.nanoTime() - lastNanos;
        return clock.isInDoubt()
                && (since >= SOON_NANOS || (isLeader && !clock.isCompared() && since >= SOON_NANOS / 10));
    }

    /** Takes note of a member that asks. */
    void askedBy(Hello asker) {
        Hello own = group.self();
        if (own.knows(asker.id())) {
            abouts.put(asker.id(), asker.about());
        }
        if (told.size() < MOST_TOLD && !own.members().isEmpty() && !own.knows(asker.id()) && asker.knows(self.id())) {
            String warning =
                    "another member takes this one for a member of its group, but is not one of this one's: other="
                            + asker.id() + ", its members=" + asker.members() + ", own members=" + own.members()
                            + "; a list of members is wrong, or the other was removed";
            Told before = told.put(asker.id(), new Told(warning, System.nanoTime()));
            if (before == null || !before.warning.equals(warning)) {
                LOG.warn("{}: {}", self.id(), warning);
            }
        } else {
            told.remove(asker.id());
        }
    }

    /** Asks all others. */
    @SuppressWarnings("FutureReturnValueIgnored") // a question that fails is asked again
    void look() {
        lastNanos = System.nanoTime();
        Hello own = group.self();
        List<RaftMember> asked = own.members().stream()
                .filter(member -> !member.id().equals(self.id()))
                .toList();
        Look look = new Look(own, asked.size());
        byte[] hello = own.toBytes();
        for (RaftMember member : asked) {
            group.ask(member, hello).handle((answer, failed) -> {
                look.answered(member, answer, failed);
                return null;
            });
        }
        look.begun();
    }

    /** The answers to one round of questions. */
    private final class Look {
        private final Hello own;
        private final int asked;
        private final List<String> warnings = new ArrayList<>();
        private final List<Long> behind = new ArrayList<>();
        private final long begunMillis = source.millis();
        private final long begunNanos = System.nanoTime();
        private int answers;

        Look(Hello own, int asked) {
            this.own = own;
            this.asked = asked;
            for (RaftMember known : own.members()) {
                if (known.id().equals(self.id()) && !known.address().equals(self.address())) {
                    warnings.add("the group knows this member by another address: known=" + known + ", own=" + self
                            + "; the others cannot reach it");
                }
            }
        }

        synchronized void begun() {
            if (asked == 0) {
                end();
            }
        }

        synchronized void answered(RaftMember member, ByteBuffer answer, Throwable failed) {
            answers++;
            if (failed == null) {
                try {
                    Hello hello = Hello.of(answer);
                    abouts.put(member.id(), hello.about());
                    behind.add(hello.timeMillis() - source.millis());
                    if (!hello.members().isEmpty() && !hello.knows(self.id())) {
                        warnings.add("a member of this one's group does not know this one: member=" + member
                                + ", its members=" + hello.members() + ", own members=" + own.members()
                                + "; a list of members is wrong, or this one was removed");
                    }
                } catch (java.io.IOException e) {
                    warnings.add(e.getMessage() + ": member=" + member);
                }
            } else if (isCausedBy(failed, GroupMismatchException.class)) {
                warnings.add("a member of another group listens where one of this group should: member=" + member);
            } else {
                warnings.add("a member does not answer: member=" + member + ", " + AddressCheck.reason(failed));
            }
            if (!clock.isCompared() && isMajority()) {
                compare(); // entries wait for it, and somebody may never answer
            }
            if (answers == asked) {
                end();
            }
        }

        private boolean isMajority() {
            return 2 * behind.size() >= asked; // with this one
        }

        private long compare() {
            long passed = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begunNanos);
            if (Math.abs(source.millis() - begunMillis - passed) > EntryClock.TOLERANCE_MILLIS) {
                return 0; // it has jumped since: what was found is of the time before
            }
            boolean isFirst = !clock.isCompared();
            long corrected = clock.compared(EntryClock.middle(behind));
            if (isFirst) {
                group.compared();
            }
            return corrected;
        }

        /** Draws the conclusions. */
        private void end() {
            if (isMajority()) {
                long corrected = compare();
                if (corrected != 0) {
                    warnings.add("the clock of this member is off, and not believed: millis=" + -corrected
                            + "; set it, most members agree on another time");
                }
            }
            for (String warning : warnings) {
                if (!found.contains(warning)) {
                    LOG.warn("{}: {}", self.id(), warning);
                }
            }
            synchronized (Lookout.this) {
                found = List.copyOf(warnings);
            }
        }
    }

    /** Returns whether a failure, or what it was caused by, is one of this class; over the network, only its name is left of it. */
    static boolean isCausedBy(Throwable failure, Class<? extends Throwable> kind) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause.toString().contains(kind.getSimpleName())) {
                return true;
            }
        }
        return false;
    }
}
