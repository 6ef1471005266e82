package dev.caskwright.server.command;

import dev.caskwright.server.cluster.ClusterNode;
import dev.caskwright.server.cluster.ClusterView;
import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.cluster.SlotRange;
import dev.caskwright.server.resp.Request;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Judges by the keys of a request whether this node of a cluster may execute it. */
final class SlotJudge {
    /** The request names no keys. */
    static final int NO_SLOT = -1;

    /** The request names keys of several slots. */
    static final int SEVERAL_SLOTS = -2;

    private SlotJudge() {}

    /** Returns the slot that all keys of a request have, or {@link #NO_SLOT}, or {@link #SEVERAL_SLOTS}. */
    static int slotOf(Command command, Request request) {
        return slotOf(command, request, NO_SLOT);
    }

    private static int slotOf(Command command, Request request, int others) {
        int slot = others;
        int last = command.lastKey(request);
        for (int i = command.firstKey(); i <= last && slot != SEVERAL_SLOTS; i += command.keyStep()) {
            int own = request.hashSlot(i);
            slot = slot == NO_SLOT || slot == own ? own : SEVERAL_SLOTS;
        }
        return slot;
    }

    /** Returns the slot that all keys of a transaction have, or {@link #NO_SLOT}, or {@link #SEVERAL_SLOTS}. */
    static int slotOf(List<Session.Queued> transaction) {
        int slot = NO_SLOT;
        for (Session.Queued queued : transaction) {
            slot = slot == SEVERAL_SLOTS ? slot : slotOf(queued.command(), queued.request(), slot);
        }
        return slot;
    }

    /** Returns the error that a client gets for a request, or null if this node may execute it. */
    static @Nullable String objection(ClusterView view, Session session, Command command, Request request) {
        List<Session.Queued> queue = session.queue();
        if (queue != null && command.name().equals("EXEC")) {
            boolean writes = queue.stream().anyMatch(queued -> queued.command().isWrite());
            return objection(view, slotOf(queue), session.isReadOnly() && !writes);
        }
        if (command.reachesOtherDatabases(request)) {
            return "ERR " + command.name() + " of other databases than 0 is not allowed in cluster mode";
        }
        return objection(view, slotOf(command, request), session.isReadOnly() && !command.isWrite());
    }

    private static @Nullable String objection(ClusterView view, int slot, boolean mayBeReplica) {
        if (slot == NO_SLOT || (slot >= 0 && view.isOwn(slot))) {
            return null;
        }
        if (slot == SEVERAL_SLOTS) {
            return "CROSSSLOT Keys in request don't hash to the same slot";
        }
        SlotRange range = view.range(slot);
        if (range != null && mayBeReplica && range.replicas().contains(view.self())) {
            return null;
        }
        ClusterNode master = range == null ? null : range.master();
        return master == null ? "CLUSTERDOWN Hash slot not served" : "MOVED " + slot + " " + master.address();
    }

    /** Returns the slot of the keys that are watched, of which there are some. */
    static int watchedSlot(Session session) {
        byte[] key = session.watchedInGroup().get(0).key(); // behind the byte of its database
        return HashSlot.of(key, 1, key.length);
    }

    /** Returns the error that a client gets for keys of another slot than those that it watches: another group may have it. */
    static @Nullable String objectionToWatches(Session session, Command command, Request request) {
        if (session.watchedInGroup().isEmpty()) {
            return null;
        }
        List<Session.Queued> queue = session.queue();
        int slot = command.name().equals("WATCH")
                ? slotOf(command, request)
                : queue != null && command.name().equals("EXEC") ? slotOf(queue) : NO_SLOT;
        return slot == NO_SLOT || slot == watchedSlot(session)
                ? null
                : "CROSSSLOT Keys in request don't hash to the same slot";
    }

    /** Returns an argument that is the number of a slot. */
    static int slotArgument(Call call, int i) {
        return (int) call.integer(i, 0, HashSlot.SLOTS - 1L, "ERR Invalid or out of range slot");
    }
}
