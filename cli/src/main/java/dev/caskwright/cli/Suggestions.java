package dev.caskwright.cli;

import java.util.Collection;

/** Finds what a mistyped word was meant to be. */
final class Suggestions {
    private static final int LETTERS_PER_MISTAKE = 3;
    private static final String END_OF_OPTIONS = "--";

    private Suggestions() {}

    /** Returns what the first argument that looks like an option, and is none, was meant to be; empty if nothing is near. */
    static String forOption(String[] arguments, Collection<String> options) {
        for (String argument : arguments) {
            if (argument.equals(END_OF_OPTIONS)) {
                return "";
            }
            int end = argument.indexOf('=');
            String name = end < 0 ? argument : argument.substring(0, end);
            if (name.startsWith("-") && !options.contains(name)) {
                return nearest(name, options);
            }
        }
        return "";
    }

    /** Returns the word that is made of another one by the fewest mistakes; empty if those would be too many for its length. */
    static String nearest(String word, Collection<String> words) {
        String best = "";
        int fewest = 1 + (word.length() + 1) / LETTERS_PER_MISTAKE;
        for (String each : words) {
            int mistakes = mistakes(word, each);
            if (mistakes < fewest) {
                fewest = mistakes;
                best = each;
            }
        }
        return best;
    }

    /** Returns how many letters are to be added, left out, changed, or swapped with their neighbours. */
    private static int mistakes(String word, String other) {
        int[][] counts = new int[word.length() + 1][other.length() + 1];
        for (int i = 0; i <= word.length(); i++) {
            for (int j = 0; j <= other.length(); j++) {
                if (i == 0 || j == 0) {
                    counts[i][j] = i + j;
                    continue;
                }
                boolean isSame = word.charAt(i - 1) == other.charAt(j - 1);
                int fewest = Math.min(counts[i - 1][j], counts[i][j - 1]) + 1;
                fewest = Math.min(fewest, counts[i - 1][j - 1] + (isSame ? 0 : 1));
                boolean isSwapped = i > 1
                        && j > 1
                        && word.charAt(i - 1) == other.charAt(j - 2)
                        && word.charAt(i - 2) == other.charAt(j - 1);
                counts[i][j] = isSwapped ? Math.min(fewest, counts[i - 2][j - 2] + 1) : fewest;
            }
        }
        return counts[word.length()][other.length()];
    }
}
