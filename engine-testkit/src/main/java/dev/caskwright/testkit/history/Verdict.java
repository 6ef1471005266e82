package dev.caskwright.testkit.history;

import java.util.List;

/**
 * What a judge found. Immutable.
 *
 * @param operations how many operations were judged
 * @param unknown how many of them have an outcome that nobody knows and that may matter
 * @param mostStates the greatest number of possible states that had to be kept at a time: what the search costs in memory
 * @param convictions for each key whose operations have no order that explains their answers, the smallest part that shows it
 * @param undecided for each key that took more states than the limit, how far the judge came
 */
public record Verdict(long operations, long unknown, int mostStates, List<String> convictions, List<String> undecided) {
    /** Returns whether there is such an order for each key. */
    public boolean isLinearizable() {
        return convictions.isEmpty() && undecided.isEmpty();
    }

    /** Returns the findings for people. */
    @Override
    public String toString() {
        String head = operations + " operations, " + unknown + " that may or may not have taken effect, at most "
                + mostStates + " states at a time";
        if (isLinearizable()) {
            return "linearizable: " + head;
        }
        StringBuilder text = new StringBuilder("not linearizable: ").append(head);
        convictions.forEach(c -> text.append(System.lineSeparator()).append(c));
        undecided.forEach(u -> text.append(System.lineSeparator()).append(u));
        return text.toString();
    }
}
