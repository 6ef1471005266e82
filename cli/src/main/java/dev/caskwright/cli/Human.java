package dev.caskwright.cli;

import java.time.Duration;
import java.util.Locale;

/** Numbers for people. */
final class Human {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    private static final double UNIT = 1024;
    private static final long SECONDS_OF_MINUTE = 60;
    private static final long SECONDS_OF_HOUR = 3_600;
    private static final long SECONDS_OF_DAY = 86_400;

    private Human() {}

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String bytes(long bytes) {
        return bytes((double) bytes);
    }

    /** Returns a number of bytes with a unit, such as {@code 1.4 GiB}. */
    static String bytes(double bytes) {
        int unit = 0;
        double value = bytes;
        while (Math.abs(value) >= UNIT && unit < UNITS.length - 1) {
            value /= UNIT;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }

    /** Returns a time with its two largest units, such as {@code 3h 12m}. */
    static String time(Duration time) {
        long seconds = Math.max(0, time.toSeconds());
        if (seconds < SECONDS_OF_MINUTE) {
            return seconds + "s";
        }
        if (seconds < SECONDS_OF_HOUR) {
            return seconds / SECONDS_OF_MINUTE + "m " + seconds % SECONDS_OF_MINUTE + "s";
        }
        if (seconds < SECONDS_OF_DAY) {
            return seconds / SECONDS_OF_HOUR + "h " + seconds % SECONDS_OF_HOUR / SECONDS_OF_MINUTE + "m";
        }
        return seconds / SECONDS_OF_DAY + "d " + seconds % SECONDS_OF_DAY / SECONDS_OF_HOUR + "h";
    }
}
