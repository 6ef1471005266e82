package dev.caskwright.bitcask.log.format;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * The names of a store's files. They come from numbers alone; whatever else lies in the directory is not touched. A name is
 * one of ours only if we would write it so: with a number that a file can have, and with no zero too many.
 */
public final class FileNames {
    public static final String MANIFEST = "MANIFEST";
    public static final String NEW_MANIFEST = "MANIFEST.new";
    /** How many names there are for a new manifest, for the case that something lies in the way. */
    public static final int NEW_MANIFESTS = 10;

    /** Numbers are halves of positions. Above this they would soon run out; no store that is in use comes near. */
    public static final long MAX_NUMBER = Integer.MAX_VALUE - (1 << 20);

    private static final int MIN_DIGITS = 8;
    private static final int MAX_DIGITS = 10;
    private static final Set<String> SUFFIXES = Set.of("data", "merged", "hint", "image");

    private static final Pattern SIMILAR = Pattern.compile("\\d+\\.(data|merged|hint|image)(\\.new)?");

    private FileNames() {}

    /** Returns whether a file can have this number. */
    public static boolean isFileNumber(long number) {
        return number >= 1 && number <= MAX_NUMBER;
    }

    /** Returns the name of a file that writers append to. */
    public static String data(long id) {
        return numbered(id, "data");
    }

    /** Returns the name of a data file that a merge wrote. */
    public static String merged(long id) {
        return numbered(id, "merged");
    }

    public static String hint(long id) {
        return numbered(id, "hint");
    }

    /** Returns the name of an image of the key index. */
    public static String image(long number) {
        return numbered(number, "image");
    }

    public static boolean isData(String name) {
        return hasSuffix(name, "data");
    }

    /** Returns the n-th name for a new manifest, from 0 on. */
    public static String newManifest(int n) {
        return n == 0 ? NEW_MANIFEST : NEW_MANIFEST + "." + n;
    }

    public static boolean isNewManifest(String name) {
        if (!name.startsWith(NEW_MANIFEST)) {
            return false;
        }
        for (int n = 0; n < NEW_MANIFESTS; n++) {
            if (name.equals(newManifest(n))) {
                return true;
            }
        }
        return false;
    }

    public static boolean isOurs(String name) {
        return isNewManifest(name) || id(name) > 0;
    }

    /** Returns whether a name that is none of ours looks like one: a mistake, perhaps, that somebody wants to know of. */
    public static boolean isSimilarToOurs(String name) {
        return !isOurs(name) && SIMILAR.matcher(name).matches();
    }

    public static boolean hasSuffix(String name, String suffix) {
        return name.endsWith("." + suffix) && id(name) > 0;
    }

    /** Returns the number in a name of ours, or 0 if it has none. */
    public static long id(String name) {
        int digits = name.indexOf('.');
        if (digits < MIN_DIGITS || digits > MAX_DIGITS || !SUFFIXES.contains(name.substring(digits + 1))) {
            return 0;
        }
        long id = 0;
        for (int i = 0; i < digits; i++) {
            char digit = name.charAt(i);
            if (digit < '0' || digit > '9') {
                return 0;
            }
            id = id * 10 + (digit - '0');
        }
        boolean hasZeroTooMany = digits > MIN_DIGITS && name.charAt(0) == '0';
        return isFileNumber(id) && !hasZeroTooMany ? id : 0;
    }

    private static String numbered(long id, String suffix) {
        String digits = Long.toString(id);
        return "0".repeat(Math.max(0, MIN_DIGITS - digits.length())) + digits + "." + suffix;
    }
}
