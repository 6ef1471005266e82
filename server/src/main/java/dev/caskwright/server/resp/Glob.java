package dev.caskwright.server.resp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Patterns of keys and channels: {@code *} is any bytes, {@code ?} any one, {@code [a-c]} and {@code [^a-c]} one of some,
 * and a backslash takes the special meaning from what follows it.
 *
 * <p>Stars part a pattern into pieces, each of which stands for a fixed number of bytes. The first must be at the start of the
 * text and the last at its end; each other is looked for behind the one before it, and the first place is the best. So the work
 * grows with the length of the text and not with that of the pattern: literal pieces are found as Knuth, Morris and Pratt do it,
 * and pieces between two stars with {@code ?} or classes in them have at most {@value #MAX_WILD_PIECE} elements. Immutable.
 */
public final class Glob {
    /** Of a piece between two stars that is not only literal. */
    private static final int MAX_WILD_PIECE = 64;

    private static final byte[] ALL = {'*'};

    /** An element is a byte from 0 to 255, this, or a class from here on. */
    private static final int ANY = 256;

    private static final int FIRST_CLASS = 257;
    private static final int NOWHERE = -1;

    private final byte[] pattern;
    private final int prefixLength;
    private final List<Piece> pieces = new ArrayList<>();

    /** For each class the bytes that are in it, a bit each. */
    private final List<long[]> classes = new ArrayList<>();

    private final int leastLength;

    /** @param failure for each element of a literal piece how much of its start also ends before it; empty for others */
    @SuppressWarnings("ArrayRecordComponent") // pieces are not compared
    private record Piece(int[] elements, int[] failure) {
        int length() {
            return elements.length;
        }
    }

    /**
     * Makes a pattern of a copy of these bytes.
     *
     * @throws IllegalArgumentException if it has a piece that would take too long to look for; the message says so
     */
    public Glob(byte[] pattern) {
        this.pattern = pattern.clone();
        int prefix = 0;
        while (prefix < pattern.length && "*?[\\".indexOf(pattern[prefix]) < 0) {
            prefix++;
        }
        prefixLength = prefix;
        parse();
        int least = 0;
        for (Piece piece : pieces) {
            least += piece.length();
        }
        leastLength = least;
    }

    private void parse() {
        int[] elements = new int[pattern.length];
        int count = 0;
        int p = 0;
        while (p < pattern.length) {
            if (pattern[p] == '*') {
                addPiece(Arrays.copyOf(elements, count), false);
                count = 0;
                while (p < pattern.length && pattern[p] == '*') {
                    p++;
                }
                continue;
            }
            switch (pattern[p]) {
                case '?' -> {
                    elements[count++] = ANY;
                    p++;
                }
                case '[' -> {
                    elements[count++] = FIRST_CLASS + classes.size();
                    p = parseClass(p + 1);
                }
                case '\\' -> {
                    p += p + 1 < pattern.length ? 1 : 0;
                    elements[count++] = pattern[p++] & 0xFF;
                }
                default -> elements[count++] = pattern[p++] & 0xFF;
            }
        }
        addPiece(Arrays.copyOf(elements, count), true);
    }

    private void addPiece(int[] elements, boolean isLast) {
        boolean isLiteral = Arrays.stream(elements).allMatch(element -> element < ANY);
        boolean isBetweenStars = !isLast && !pieces.isEmpty();
        if (isBetweenStars && !isLiteral && elements.length > MAX_WILD_PIECE) {
            throw new IllegalArgumentException("the pattern has more than " + MAX_WILD_PIECE
                    + " characters, ? or [ among them, between two stars; make it simpler");
        }
        pieces.add(new Piece(elements, isBetweenStars && isLiteral ? failure(elements) : new int[0]));
    }

    private static int[] failure(int[] elements) {
        int[] failure = new int[elements.length];
        int matched = 0;
        for (int i = 1; i < elements.length; i++) {
            while (matched > 0 && elements[i] != elements[matched]) {
                matched = failure[matched - 1];
            }
            if (elements[i] == elements[matched]) {
                matched++;
            }
            failure[i] = matched;
        }
        return failure;
    }

    /** Adds the class whose content starts at {@code start}; returns the place behind it. */
    private int parseClass(int start) {
        long[] bits = new long[4];
        int p = start;
        boolean isNegated = p < pattern.length && pattern[p] == '^';
        if (isNegated) {
            p++;
        }
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
            for (int value = Math.min(low, high); value <= Math.max(low, high); value++) {
                bits[value >>> 6] |= 1L << value;
            }
            p++;
        }
        if (isNegated) {
            for (int i = 0; i < bits.length; i++) {
                bits[i] = ~bits[i];
            }
        }
        classes.add(bits);
        // A class that is not closed ends with the pattern.
        return Math.min(p + 1, pattern.length);
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
        int length = text.length - from;
        int last = pieces.size() - 1;
        if (length < leastLength || (last == 0 && length != leastLength)) {
            return false;
        }
        int end = text.length - pieces.get(last).length();
        if (!isAt(pieces.get(0), text, from) || !isAt(pieces.get(last), text, end)) {
            return false;
        }
        int position = from + pieces.get(0).length();
        for (int i = 1; i < last; i++) {
            position = behind(pieces.get(i), text, position, end);
            if (position == NOWHERE) {
                return false;
            }
        }
        return position <= end || last == 0;
    }

    /** Returns the place behind the first occurrence of a piece, or {@link #NOWHERE}. */
    private int behind(Piece piece, byte[] text, int from, int to) {
        if (piece.failure().length > 0) {
            return behindLiteral(piece, text, from, to);
        }
        for (int position = from; position <= to - piece.length(); position++) {
            if (isAt(piece, text, position)) {
                return position + piece.length();
            }
        }
        return NOWHERE;
    }

    private static int behindLiteral(Piece piece, byte[] text, int from, int to) {
        int[] elements = piece.elements();
        int matched = 0;
        for (int position = from; position < to; position++) {
            int value = text[position] & 0xFF;
            while (matched > 0 && elements[matched] != value) {
                matched = piece.failure()[matched - 1];
            }
            if (elements[matched] == value && ++matched == elements.length) {
                return position + 1;
            }
        }
        return NOWHERE;
    }

    private boolean isAt(Piece piece, byte[] text, int position) {
        int[] elements = piece.elements();
        for (int i = 0; i < elements.length; i++) {
            int value = text[position + i] & 0xFF;
            int element = elements[i];
            if (element < ANY ? element != value : element > ANY && !isIn(element - FIRST_CLASS, value)) {
                return false;
            }
        }
        return true;
    }

    private boolean isIn(int number, int value) {
        return (classes.get(number)[value >>> 6] & 1L << value) != 0;
    }
}
