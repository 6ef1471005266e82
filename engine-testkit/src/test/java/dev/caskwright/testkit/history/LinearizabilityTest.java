package dev.caskwright.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.history.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The judge of histories convicts what has no order, and acquits what has one: also if an outcome is not known. */
final class LinearizabilityTest {
    private final History history = new History();

    private History.Pending begin(int client, Action action) {
        return history.begin(client, "k", action);
    }

    private void put(int client, String value) {
        begin(client, Action.put(value)).done();
    }

    private void get(int client, String value) {
        begin(client, Action.get()).read(value);
    }

    private Verdict judge() {
        return Linearizability.judge(history);
    }

    private void assertConvictedWith(String... parts) {
        Verdict verdict = judge();
        assertThat(verdict.isLinearizable()).as("%s", verdict).isFalse();
        assertThat(verdict.toString()).contains(parts);
    }

    @Test
    void aStaleReadIsConvicted() {
        put(1, "old");
        put(1, "new");
        get(2, "old");
        assertConvictedWith(
                "nothing explains #2 client 2: get -> \"old\"", "\"new\", by #1 client 1: put \"new\"", "open: none");
    }

    @Test
    void aReadOfEitherValueBesideAPutIsAcquittedAndOneThatGoesBackIsConvicted() {
        put(1, "old");
        History.Pending slow = begin(1, Action.put("new"));
        get(2, "old");
        get(2, "new");
        get(3, "new");
        slow.done();
        assertThat(judge().isLinearizable()).isTrue();
        History.Pending other = begin(1, Action.put("newest"));
        get(2, "newest");
        get(3, "new");
        other.done();
        assertConvictedWith("client 3: get -> \"new\"", "\"newest\", by #5 client 1: put \"newest\"");
    }

    @Test
    void aLostWriteIsConvicted() {
        put(1, "old");
        get(2, "old");
        put(1, "new");
        begin(2, Action.compareAndSet("old", "third")).applied(true);
        assertConvictedWith("set \"old\" to \"third\" -> \"true\"", "put \"new\"");
    }

    @Test
    void anIncrementThatIsDoneTwiceIsConvicted() {
        begin(1, Action.increment(1)).count(1);
        begin(2, Action.increment(1)).count(3);
        assertConvictedWith("client 2: increment by 1 -> \"3\"", "\"1\", by #0 client 1");
    }

    @Test
    void anUnknownIncrementIsDoneOnceOrNeverAndNotTwice() {
        begin(1, Action.increment(1)).unknown();
        get(2, null);
        begin(2, Action.increment(1)).count(2);
        assertThat(judge().isLinearizable()).isTrue();
        begin(2, Action.increment(1)).count(4);
        assertConvictedWith("increment by 1 -> \"4\"", "client 1: increment by 1 -> unknown");
    }

    @Test
    void aWriteThatOnlyAMinorityHadIsConvictedIfItWasAcknowledged() {
        put(1, "0");
        put(1, "1"); // by a leader that was none any more
        get(1, "1");
        get(2, "0"); // by those who went on without it
        put(2, "2");
        assertConvictedWith("client 2: get -> \"0\"", "put \"1\"");
    }

    @Test
    void unknownOutcomesThatTakeEffectLateOrNeverAreAcquitted() {
        put(1, "0");
        begin(2, Action.put("late")).unknown();
        begin(3, Action.put("never")).unknown();
        begin(4, Action.delete()).unknown();
        get(1, "0");
        put(1, "1");
        get(1, "1");
        get(1, "late");
        get(1, null);
        put(1, "2");
        get(1, "2");
        assertThat(judge().isLinearizable()).isTrue();
        get(1, "late");
        assertConvictedWith("get -> \"late\"");
    }

    @Test
    void aWriteThatFailedTookNoEffect() {
        put(1, "0");
        begin(2, Action.put("1")).failed();
        get(1, "0");
        assertThat(judge().isLinearizable()).isTrue();
        get(1, "1");
        assertConvictedWith("get -> \"1\"");
    }

    @Test
    void answersOfDeletesAndOfRefusedComparesAreJudged() {
        begin(1, Action.delete()).applied(false);
        put(1, "0");
        begin(1, Action.compareAndSet("1", "2")).applied(false);
        begin(1, Action.delete()).applied(true);
        assertThat(judge().isLinearizable()).isTrue();
        begin(1, Action.delete()).applied(true);
        assertConvictedWith("delete -> \"true\"");
    }

    @Test
    void keysAreJudgedApartAndTheShortestConvictionComesFirst() {
        history.begin(1, "a", Action.put("0")).done();
        history.begin(1, "a", Action.put("1")).unknown();
        history.begin(1, "a", Action.put("2")).unknown();
        history.begin(1, "a", Action.get()).read("3");
        history.begin(1, "b", Action.get()).read("4");
        Verdict verdict = judge();
        assertThat(verdict.convictions()).hasSize(2);
        assertThat(verdict.convictions().get(0)).startsWith("key b: nothing explains");
        assertThat(verdict.convictions().get(1)).startsWith("key a: nothing explains");
    }

    @Test
    void aHistoryThatTakesMoreStatesThanTheLimitIsNotAcquitted() {
        for (int i = 0; i < 20; i++) {
            begin(i, Action.increment(1L << i)).unknown();
        }
        begin(99, Action.increment(1)).count((1 << 20) - 1 + 1);
        Verdict few = Linearizability.judge(history.operations(), 1_000);
        assertThat(few.isLinearizable()).isFalse();
        assertThat(few.convictions()).isEmpty();
        assertThat(few.toString()).contains("undecided: key=k, limit=1000 states", "unknown outcomes: 20");
    }

    /** Small histories of random answers, each judged as well by trying all orders. */
    @Test
    void theJudgeAgreesWithOneThatTriesAllOrders() {
        int acquitted = 0;
        for (int seed = 0; seed < 20_000; seed++) {
            List<Operation> operations = randomHistory(new Random(seed));
            boolean expected = hasOrder(operations, new ArrayList<>(), null);
            Verdict verdict = Linearizability.judge(operations, Linearizability.DEFAULT_LIMIT);
            assertThat(verdict.isLinearizable())
                    .as("seed %d: %s, %s", seed, operations, verdict)
                    .isEqualTo(expected);
            acquitted += expected ? 1 : 0;
        }
        assertThat(acquitted).as("of 20,000").isBetween(2_000, 18_000);
    }

    private static List<Operation> randomHistory(Random random) {
        int count = 2 + random.nextInt(5);
        List<Integer> moments = new ArrayList<>();
        for (int i = 0; i < 2 * count; i++) {
            moments.add(i);
        }
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // Close to each other, so that few overlap.
            int begin = moments.remove(0);
            int end = moments.remove(random.nextInt(Math.min(moments.size(), 4)));
            Outcome outcome = random.nextInt(4) == 0 ? Outcome.UNKNOWN : Outcome.DONE;
            Action action = randomAction(random);
            boolean isAnswered = outcome == Outcome.DONE && action.kind() != Action.Kind.PUT;
            String answer = switch (action.kind()) {
                case GET -> value(random);
                case PUT -> null;
                case DELETE, COMPARE_AND_SET -> Boolean.toString(random.nextInt(3) > 0);
                case INCREMENT -> Integer.toString(1 + random.nextInt(3));
            };
            operations.add(new Operation(
                    i,
                    i,
                    "k",
                    action,
                    outcome,
                    isAnswered,
                    isAnswered ? answer : null,
                    begin,
                    outcome == Outcome.UNKNOWN ? Operation.NEVER : end,
                    begin,
                    end));
        }
        return operations;
    }

    private static Action randomAction(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> Action.put(Integer.toString(1 + random.nextInt(2)));
            case 1 -> Action.delete();
            case 2 -> Action.compareAndSet(value(random), value(random));
            case 3 -> Action.increment(1);
            default -> Action.get();
        };
    }

    private static String value(Random random) {
        int number = random.nextInt(3);
        return number == 0 ? null : Integer.toString(number);
    }

    /** Tries every operation that may come next. */
    private static boolean hasOrder(List<Operation> operations, List<Operation> done, String state) {
        boolean isComplete = true;
        for (Operation operation : operations) {
            isComplete &= done.contains(operation) || operation.outcome() == Outcome.UNKNOWN;
        }
        if (isComplete) {
            return true;
        }
        for (Operation next : operations) {
            boolean mayCome = !done.contains(next);
            for (Operation other : operations) {
                mayCome &= done.contains(other) || other.end() > next.begin();
            }
            if (mayCome && isRight(next, state)) {
                done.add(next);
                boolean found = hasOrder(operations, done, model(next, state));
                done.remove(next);
                if (found) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String model(Operation operation, String state) {
        Action action = operation.action();
        return switch (action.kind()) {
            case GET -> state;
            case PUT -> action.value();
            case DELETE -> null;
            case COMPARE_AND_SET -> Objects.equals(state, action.expected()) ? action.value() : state;
            case INCREMENT -> Integer.toString((state == null ? 0 : Integer.parseInt(state)) + 1);
        };
    }

    private static boolean isRight(Operation operation, String state) {
        if (operation.outcome() == Outcome.UNKNOWN) {
            return true;
        }
        String told = switch (operation.action().kind()) {
            case GET -> state;
            case PUT -> null;
            case DELETE -> Boolean.toString(state != null);
            case COMPARE_AND_SET ->
                Boolean.toString(Objects.equals(state, operation.action().expected()));
            case INCREMENT -> model(operation, state);
        };
        return Objects.equals(told, operation.answer());
    }
}
