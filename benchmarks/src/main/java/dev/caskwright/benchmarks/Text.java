package dev.caskwright.benchmarks;

import java.util.Locale;

/** Numbers and strings as a report shows them. */
final class Text {
    private Text() {}

    /** Returns a number with three digits that count: {@code 3.24 M}, {@code 481 k}, {@code 12.3}. */
    static String compact(double value) {
        double size = Math.abs(value);
        if (size >= 999.5e6) {
            return threeDigits(value / 1e9) + " G";
        }
        if (size >= 999.5e3) {
            return threeDigits(value / 1e6) + " M";
        }
        if (size >= 9_999.5) {
            return threeDigits(value / 1e3) + " k";
        }
        return size >= 999.5 ? String.format(Locale.ROOT, "%,.0f", value) : threeDigits(value);
    }

    private static String threeDigits(double value) {
        double size = Math.abs(value);
        if (value == Math.rint(value) && size < 100) {
            return String.valueOf((long) value);
        }
        return String.format(Locale.ROOT, size >= 99.95 ? "%.0f" : size >= 9.995 ? "%.1f" : "%.2f", value);
    }

    /** Returns the text safe between tags and in attributes of HTML, SVG and XML. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** Returns the number with its sizes: {@code 1,000,000}. */
    static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** Returns bytes: {@code 100 B}, {@code 16 KiB}. */
    static String size(int bytes) {
        return bytes >= 1 << 10 && bytes % (1 << 10) == 0 ? (bytes >> 10) + " KiB" : bytes + " B";
    }
}
