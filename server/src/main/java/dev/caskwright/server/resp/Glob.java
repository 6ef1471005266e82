package dev.caskwright.server.resp;

/**
 * Patterns of keys and channels: {@code *} is any bytes, {@code ?} any one, {@code [a-c]} and {@code [^a-c]} one of some,
 * and a backslash takes the special meaning from what follows it.
 *
 * <p>A star that does not lead to a match is only ever extended, and only the last one: the work is at most the product of
 * both lengths, whatever the pattern.
 */
public final class Glob {
    private static final byte[] ALL = {'*'};

    private final byte[] pattern;
    private final int prefixLength;

    /** Makes a pattern of a copy of these bytes. */
    public Glob(byte[] pattern) {
        this.pattern = pattern.clone();
        int length = 0;
        while (length < pattern.length && "*?[\\".indexOf(pattern[length]) < 0) {
            length++;
        }
        prefixLength = length;
    }

    /** Returns the pattern that all match. */
    public static Glob all() {
        return new Glob(ALL);
    }

    /** Returns how many bytes at the start of the pattern stand for themselves. */
    public int prefixLength() {
        return prefixLength;
    }

    /** Returns a copy of the pattern. */
    public byte[] bytes() {
        return pattern.clone();
    }

    /** Returns whether the bytes from {@code from} on match. */
    public boolean matches(byte[] text, int from) {
        int p = 0;
        int t = from;
        int afterStar = -1;
        int starAt = 0;
        while (t < text.length) {
            if (p < pattern.length && pattern[p] == '*') {
                afterStar = ++p;
                starAt = t;
                if (p == pattern.length) {
                    return true;
                }
                continue;
            }
            int next = p < pattern.length ? step(p, text[t]) : -1;
            if (next >= 0) {
                p = next;
                t++;
            } else if (afterStar >= 0) {
                p = afterStar;
                t = ++starAt;
            } else {
                return false;
            }
        }
        while (p < pattern.length && pattern[p] == '*') {
            p++;
        }
        return p == pattern.length;
    }

    /** Returns the place after the part of the pattern at {@code p} if that part matches the byte, or -1. */
    private int step(int p, byte value) {
        return switch (pattern[p]) {
            case '?' -> p + 1;
            case '\\' -> stepLiteral(p + 1 < pattern.length ? p + 1 : p, value);
            case '[' -> stepClass(p + 1, value & 0xFF);
            default -> stepLiteral(p, value);
        };
    }

    private int stepLiteral(int p, byte value) {
        return pattern[p] == value ? p + 1 : -1;
    }

    private int stepClass(int start, int value) {
        int p = start;
        boolean isNegated = p < pattern.length && pattern[p] == '^';
        if (isNegated) {
            p++;
        }
        boolean isIn = false;
        while (p < pattern.length && pattern[p] != ']') {
            if (pattern[p] == '\\' && p + 1 < pattern.length) {
                p++;
            }
            int low = pattern[p] & 0xFF;
            int high = low;
            if (p + 2 < pattern.length && pattern[p + 1] == '-') {
                p += 2;
                high = pattern[p] & 0xFF;
            }
            isIn |= Math.min(low, high) <= value && value <= Math.max(low, high);
            p++;
        }
        // A class that is not closed ends with the pattern.
        return isIn != isNegated ? Math.min(p + 1, pattern.length) : -1;
    }
}
