package dev.caskwright.cli;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a time such as {@code 30s}: a whole number and a unit. */
final class TimeToLive implements ITypeConverter<Duration> {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,12})(ms|s|m|h|d)");
    private static final Map<String, Duration> UNITS = Map.of(
            "ms", Duration.ofMillis(1),
            "s", Duration.ofSeconds(1),
            "m", Duration.ofMinutes(1),
            "h", Duration.ofHours(1),
            "d", Duration.ofDays(1));

    /** Twelve digits of days are more milliseconds than a long holds; a hundred thousand years are enough. */
    private static final Duration MAX = Duration.ofDays(36_525_000);

    @Override
    public Duration convert(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is not a time: write it as 500ms, 30s, 5m, 12h or 7d");
        }
        Duration time =
                UNITS.getOrDefault(matcher.group(2), Duration.ZERO).multipliedBy(Long.parseLong(matcher.group(1)));
        if (time.isZero() || time.compareTo(MAX) > 0) {
            throw new TypeConversionException("'" + text + "' must be from 1ms to " + MAX.toDays() + "d");
        }
        return time;
    }
}
