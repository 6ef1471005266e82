package dev.caskwright.server.config;

import dev.caskwright.server.resp.Printable;
import java.util.List;
import java.util.Locale;

/** One option: its name, what values it takes, and the one it has. Safe for any number of threads. */
public final class Option {
    /** What values an option takes. */
    enum Kind {
        TEXT,
        YES_NO,
        NUMBER,
        BYTES,
        CHOICE
    }

    /** When an option can be changed. */
    enum Change {
        /** With CONFIG SET. */
        ANY_TIME,
        /** With CONFIG SET, if protected options may be. */
        PROTECTED,
        /** In the file and on the command line only. */
        AT_START
    }

    private static final long KILO = 1000;
    private static final long KIBI = 1024;

    private final String name;
    private final Kind kind;
    private final Change change;
    private final String initial;
    private final long least;
    private final long greatest;
    private final List<String> choices;
    private volatile String text;
    private volatile long number;

    private Option(
            String name, Kind kind, Change change, String initial, long least, long greatest, List<String> choices) {
        this.name = name;
        this.kind = kind;
        this.change = change;
        this.initial = initial;
        this.least = least;
        this.greatest = greatest;
        this.choices = choices;
        text = initial;
        set(initial);
    }

    static Option text(String name, Change change, String initial) {
        return new Option(name, Kind.TEXT, change, initial, 0, 0, List.of());
    }

    static Option yesNo(String name, Change change, boolean initial) {
        return new Option(name, Kind.YES_NO, change, initial ? "yes" : "no", 0, 0, List.of());
    }

    static Option number(String name, Change change, long initial, long least, long greatest) {
        return new Option(name, Kind.NUMBER, change, Long.toString(initial), least, greatest, List.of());
    }

    static Option bytes(String name, Change change, long initial, long least, long greatest) {
        return new Option(name, Kind.BYTES, change, Long.toString(initial), least, greatest, List.of());
    }

    static Option choice(String name, Change change, String... choices) {
        return new Option(name, Kind.CHOICE, change, choices[0], 0, 0, List.of(choices));
    }

    /** Returns the name, in lower case. */
    public String name() {
        return name;
    }

    Change change() {
        return change;
    }

    /** Returns the value as it is shown. */
    public String text() {
        return text;
    }

    /** Returns the value as a number; 1 for yes, 0 for no, the place of a choice among all. */
    public long number() {
        return number;
    }

    /** Returns whether the value is yes. */
    public boolean isYes() {
        return number == 1;
    }

    boolean isInitial() {
        return text.equals(initial);
    }

    /**
     * Sets the value.
     *
     * @throws IllegalArgumentException if the option takes no such value; the message says which it takes
     */
    void set(String value) {
        switch (kind) {
            case TEXT -> setText(value);
            case YES_NO -> setChoice(value, List.of("no", "yes"), "argument must be 'yes' or 'no'");
            case CHOICE -> setChoice(value, choices, "argument must be one of " + String.join(", ", choices));
            case NUMBER, BYTES -> setNumber(value);
        }
    }

    private void setText(String value) {
        if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0 || value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("argument must be on one line");
        }
        text = value;
    }

    private void setChoice(String value, List<String> values, String problem) {
        int place = values.indexOf(value.toLowerCase(Locale.ROOT));
        if (place < 0) {
            throw new IllegalArgumentException(problem);
        }
        text = values.get(place);
        number = place;
    }

    private void setNumber(String value) {
        long parsed;
        try {
            parsed = kind == Kind.BYTES ? parseBytes(value) : Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("argument couldn't be parsed into an integer", e);
        }
        if (parsed < least || parsed > greatest) {
            throw new IllegalArgumentException("argument must be between " + least + " and " + greatest + " inclusive");
        }
        text = Long.toString(parsed);
        number = parsed;
    }

    /** Parses {@code 100}, {@code 1k} (1000), {@code 1kb} (1024), {@code 5mb}, {@code 2gb}. */
    static long parseBytes(String value) {
        String lower = value.toLowerCase(Locale.ROOT);
        int digits = 0;
        while (digits < lower.length() && Character.isDigit(lower.charAt(digits))) {
            digits++;
        }
        long unit = switch (lower.substring(digits)) {
            case "", "b" -> 1;
            case "k" -> KILO;
            case "kb" -> KIBI;
            case "m" -> KILO * KILO;
            case "mb" -> KIBI * KIBI;
            case "g" -> KILO * KILO * KILO;
            case "gb" -> KIBI * KIBI * KIBI;
            default -> throw new NumberFormatException(Printable.of(value));
        };
        long count = Long.parseLong(lower.substring(0, digits));
        if (count > Long.MAX_VALUE / unit) {
            throw new NumberFormatException(Printable.of(value));
        }
        return count * unit;
    }
}
