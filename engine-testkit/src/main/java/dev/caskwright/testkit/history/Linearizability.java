package dev.caskwright.testkit.history;

import dev.caskwright.testkit.history.Operation.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges whether a history is linearizable: whether each operation can be given a moment between its begin and its end such that
 * all answers are those of a map on which the operations are done at these moments, one after another. One of unknown outcome may
 * be given any moment after its begin, or none; one that failed is left out.
 *
 * <p>Keys are judged one by one, which is as good (Herlihy and Wing), and each by {@link KeySearch}, which keeps the possible
 * states at one moment only: memory is bounded by a limit of states, and does not grow with the length of the history. A history
 * that takes more is neither convicted nor acquitted, and {@link Verdict#isLinearizable} is false.
 */
public final class Linearizability {
    /** How many possible states of a key are kept at a time at most, unless said otherwise: some 100 MB. */
    public static final int DEFAULT_LIMIT = 1_000_000;

    private Linearizability() {}

    /** Judges a history. */
    public static Verdict judge(History history) {
        return judge(history.operations(), DEFAULT_LIMIT);
    }

    /**
     * Judges operations, in any order.
     *
     * @param limit how many possible states of a key may be kept at a time
     */
    public static Verdict judge(List<Operation> operations, int limit) {
        Map<String, List<Operation>> byKey = new LinkedHashMap<>();
        for (Operation operation : operations) {
            if (operation.outcome() != Outcome.FAILED) {
                byKey.computeIfAbsent(operation.key(), key -> new ArrayList<>()).add(operation);
            }
        }
        long unknown = 0;
        int mostStates = 0;
        List<String> convictions = new ArrayList<>();
        List<String> undecided = new ArrayList<>();
        for (Map.Entry<String, List<Operation>> entry : byKey.entrySet()) {
            List<Operation> ofKey = withoutUseless(entry.getValue());
            ofKey.sort(Comparator.comparingLong(Operation::begin));
            unknown +=
                    ofKey.stream().filter(o -> o.outcome() == Outcome.UNKNOWN).count();
            KeySearch search = new KeySearch(entry.getKey(), ofKey, limit);
            search.run();
            mostStates = Math.max(mostStates, search.mostStates());
            if (search.conviction() != null) {
                convictions.add(search.conviction());
            }
            if (search.excess() != null) {
                undecided.add(search.excess());
            }
        }
        convictions.sort(Comparator.comparingInt(String::length));
        return new Verdict(operations.size(), unknown, mostStates, convictions, undecided);
    }

    /**
     * Leaves out operations of unknown outcome whose effect nobody can have seen. Such an operation needs no moment: without it,
     * each operation that comes between it and the next change finds an older value, and none of those that are there tells the
     * difference.
     */
    private static List<Operation> withoutUseless(List<Operation> operations) {
        Set<@Nullable String> seen = new HashSet<>();
        boolean isDifferenceSeen = false;
        boolean hasIncrements = false;
        for (Operation operation : operations) {
            Action action = operation.action();
            boolean isKnown = operation.outcome() == Outcome.DONE;
            hasIncrements |= action.kind() == Action.Kind.INCREMENT;
            isDifferenceSeen |= isKnown
                    && operation.isAnswered()
                    && (action.kind() == Action.Kind.DELETE
                            || (action.kind() == Action.Kind.COMPARE_AND_SET && "false".equals(operation.answer())));
            if (action.kind() == Action.Kind.GET && isKnown) {
                seen.add(operation.answer());
            } else if (action.kind() == Action.Kind.COMPARE_AND_SET) {
                seen.add(action.expected());
            }
        }
        List<Operation> kept = new ArrayList<>(operations.size());
        for (Operation operation : operations) {
            Action.Kind kind = operation.action().kind();
            boolean isUnseen = !seen.contains(operation.action().value())
                    && !isDifferenceSeen
                    && !hasIncrements
                    && kind != Action.Kind.INCREMENT;
            if (operation.outcome() != Outcome.UNKNOWN || !(kind == Action.Kind.GET || isUnseen)) {
                kept.add(operation);
            }
        }
        return kept;
    }
}
