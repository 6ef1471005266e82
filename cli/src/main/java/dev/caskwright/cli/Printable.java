package dev.caskwright.cli;

/**
 * Makes text fit for a terminal, which obeys some characters instead of showing them. Control characters, those of the second
 * half of Latin-1 included, characters that change the direction of writing or show nothing, and halves of surrogate pairs
 * are shown as {@code \\u001b} and the like.
 */
final class Printable {
    private static final int FIRST_NOT_PLAIN = 0x7F; // what is before it, and no control character, is plain ASCII

    private Printable() {}

    /** Returns a text in one line. */
    static String line(String text) {
        return escaped(text, false);
    }

    /** Returns a text with its line feeds and tabs. */
    static String lines(String text) {
        return escaped(text, true);
    }

    private static String escaped(String text, boolean keepsLines) {
        StringBuilder printable = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            if (!isHidden(codePoint) || (keepsLines && (codePoint == '\n' || codePoint == '\t'))) {
                printable.appendCodePoint(codePoint);
            } else {
                for (char unit : Character.toChars(codePoint)) {
                    printable.append(escape(unit));
                }
            }
            i += Character.charCount(codePoint);
        }
        return printable.toString();
    }

    /** Returns whether a terminal may obey the character, or show it as nothing. */
    static boolean isHidden(int codePoint) {
        if (codePoint >= ' ' && codePoint < FIRST_NOT_PLAIN) {
            return false;
        }
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }

    /** Returns the form in which Java and JSON write any character. */
    static String escape(char unit) {
        String digits = Integer.toHexString(unit);
        return "\\u" + "0".repeat(4 - digits.length()) + digits;
    }
}
