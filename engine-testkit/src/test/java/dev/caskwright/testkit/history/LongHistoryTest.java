package dev.caskwright.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Long histories of eight clients of a simulated store, which is right, or has one fault now and then. */
final class LongHistoryTest {
    private static final int CLIENTS = 8;
    private static final int KEYS = 5;
    private static final int STEPS = 120_000;
    private static final int FAULT_EVERY = 20_000;

    enum Fault {
        NONE,
        /** A read shows what was there before the last change. */
        STALE_READ,
        /** A write is acknowledged and not made. */
        LOST_WRITE,
        /** A change is made twice. */
        DOUBLE_APPLY,
        /** The last few changes were acknowledged by a leader that was none any more, and are gone. */
        MINORITY
    }

    /** An operation under way, and what the store has done with it. */
    private static final class Running {
        private final History.Pending pending;
        private final String key;
        private final Action action;
        private boolean isDone;
        private String answer;

        private Running(History.Pending pending, String key, Action action) {
            this.pending = pending;
            this.key = key;
            this.action = action;
        }
    }

    private final History history = new History();
    private final Map<String, String> store = new HashMap<>();
    private final Map<String, List<String>> past = new HashMap<>();
    private final Running[] running = new Running[CLIENTS];
    private final List<Running> abandoned = new ArrayList<>();
    private final Random random = new Random(7);
    private int written;
    private Fault due = Fault.NONE;

    @ParameterizedTest
    @EnumSource
    void aLongHistoryIsAcquittedAndConvictedIfTheStoreHasAFault(Fault fault) {
        for (int step = 0; step < STEPS; step++) {
            if (step % FAULT_EVERY == FAULT_EVERY / 2) {
                due = fault;
            }
            step();
        }
        Verdict verdict = Linearizability.judge(history);
        assertThat(verdict.operations()).isGreaterThan(STEPS / 4);
        assertThat(verdict.undecided()).isEmpty();
        assertThat(verdict.isLinearizable()).as("%s: %s", fault, verdict).isEqualTo(fault == Fault.NONE);
        assertThat(verdict.unknown()).isGreaterThan(20);
    }

    private void step() {
        int client = random.nextInt(CLIENTS);
        Running now = running[client];
        if (now == null) {
            String key = "k" + random.nextInt(KEYS);
            Action action = action(key);
            running[client] = new Running(history.begin(client, key, action), key, action);
        } else if (!now.isDone && random.nextInt(400) == 0) {
            now.pending.unknown();
            running[client] = null;
            if (random.nextBoolean()) {
                abandoned.add(now);
            }
        } else if (!now.isDone) {
            apply(now);
        } else {
            answer(now);
            running[client] = null;
        }
        if (!abandoned.isEmpty() && random.nextInt(1_000) == 0) {
            apply(abandoned.remove(random.nextInt(abandoned.size())));
        }
    }

    private Action action(String key) {
        boolean isNumber = key.equals("k0");
        return switch (random.nextInt(5)) {
            case 0 -> isNumber ? Action.increment(1) : Action.put("v" + ++written);
            case 1 -> isNumber ? Action.increment(2) : Action.compareAndSet(store.get(key), "v" + ++written);
            case 2 -> random.nextInt(20) == 0 && !isNumber ? Action.delete() : Action.get();
            default -> Action.get();
        };
    }

    private void apply(Running operation) {
        String before = store.get(operation.key);
        Action action = operation.action;
        List<String> old = past.computeIfAbsent(operation.key, k -> new ArrayList<>());
        operation.isDone = true;
        operation.answer = action.answer(before);
        if (due == Fault.STALE_READ && action.kind() == Action.Kind.GET && old.size() > 20) {
            operation.answer = old.get(old.size() - 20);
            due = Fault.NONE;
        }
        String after = action.after(before);
        if (Objects.equals(before, after)) {
            return;
        }
        if (due == Fault.LOST_WRITE) {
            due = Fault.NONE;
            return;
        }
        if (due == Fault.MINORITY && old.size() > 20) {
            // What comes now is with the others, who do not have the last changes.
            before = old.get(old.size() - 10);
            after = action.after(before);
            operation.answer = action.answer(before);
            due = Fault.NONE;
        }
        if (due == Fault.DOUBLE_APPLY && action.kind() == Action.Kind.INCREMENT) {
            after = action.after(after);
            due = Fault.NONE;
        }
        old.add(before);
        store.put(operation.key, after);
    }

    private static void answer(Running operation) {
        switch (operation.action.kind()) {
            case GET -> operation.pending.read(operation.answer);
            case PUT -> operation.pending.done();
            case DELETE, COMPARE_AND_SET -> operation.pending.applied(Boolean.parseBoolean(operation.answer));
            case INCREMENT -> operation.pending.count(Long.parseLong(operation.answer));
        }
    }
}
