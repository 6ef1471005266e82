package dev.caskwright.moss.file;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of a store's files: made of numbers, which tell files apart for ever. */
public final class FileNames {
    /** The list of the store's files. */
    public static final String MANIFEST = "manifest.moss";

    /** A manifest that is being written. */
    public static final String NEW_MANIFEST = "manifest.new";

    private static final Pattern SORTED = Pattern.compile("sorted-([0-9a-f]{16})\\.moss");
    private static final Pattern LOG = Pattern.compile("log-([0-9a-f]{16})\\.moss");

    private FileNames() {}

    /** Returns the name of a sorted file. */
    public static String sorted(long number) {
        return String.format("sorted-%016x.moss", number);
    }

    /** Returns the name of a log file. */
    public static String log(long number) {
        return String.format("log-%016x.moss", number);
    }

    /** Returns the number of a sorted file, or -1 if the name is none's. */
    public static long sortedNumber(String name) {
        return number(SORTED, name);
    }

    /** Returns the number of a log file, or -1 if the name is none's. */
    public static long logNumber(String name) {
        return number(LOG, name);
    }

    private static long number(Pattern pattern, String name) {
        Matcher matcher = pattern.matcher(name);
        if (!matcher.matches()) {
            return -1;
        }
        long number = Long.parseUnsignedLong(matcher.group(1), 16);
        return number < 0 ? -1 : number;
    }
}
