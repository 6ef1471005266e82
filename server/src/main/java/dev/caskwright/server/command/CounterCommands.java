package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.STRING;
import static dev.caskwright.server.command.Command.KeyUse.READ_WRITE;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.WRITE;

import dev.caskwright.server.resp.Numbers;
import dev.caskwright.server.store.Data;
import dev.caskwright.server.store.Data.Stored;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Strings that are numbers. */
final class CounterCommands {
    private static final String GROUP = "string";

    /** Digits before and after the point: what a double could ever need, so that no exponent makes a number huge. */
    private static final int MAX_EXPONENT = 400;

    /** How many digits there are after the point, as in Redis. */
    private static final int MAX_DECIMALS = 17;

    private static final int MAX_NUMBER_BYTES = 512;

    private CounterCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(counter("INCR", 2, call -> add(call, 1), "1.0.0", "Adds 1 to a whole number."));
        commands.add(counter("DECR", 2, call -> add(call, -1), "1.0.0", "Subtracts 1 from a whole number."));
        commands.add(counter("INCRBY", 3, call -> add(call, call.integer(2)), "1.0.0", "Adds to a whole number."));
        commands.add(counter("DECRBY", 3, CounterCommands::subtract, "1.0.0", "Subtracts from a whole number."));
        commands.add(counter("INCRBYFLOAT", 3, CounterCommands::addDecimal, "2.6.0", "Adds to a decimal number."));
    }

    private static Command counter(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(WRITE, FAST)
                .in(STRING)
                .key(READ_WRITE)
                .doc(GROUP, since, summary);
    }

    private static void subtract(Call call) throws IOException {
        long amount = call.integer(2);
        if (amount == Long.MIN_VALUE) {
            throw new CommandException("ERR decrement would overflow");
        }
        add(call, -amount);
    }

    private static void add(Call call, long amount) throws IOException {
        byte[] key = call.key(1);
        Stored old = call.stringEntry(key);
        long value = 0;
        if (old != null) {
            if (!Numbers.isInteger(old.stored(), 1, old.stored().length)) {
                throw CommandException.notAnInteger();
            }
            value = Numbers.integer(old.stored(), 1, old.stored().length);
        }
        long sum = value + amount;
        if (((value ^ sum) & (amount ^ sum)) < 0) {
            throw new CommandException("ERR increment or decrement would overflow");
        }
        call.put(key, stored(Long.toString(sum)), old == null ? Data.NEVER : old.expiresAtMillis());
        call.reply().integer(sum);
    }

    private static void addDecimal(Call call) throws IOException {
        byte[] key = call.key(1);
        Stored old = call.stringEntry(key);
        String text = old == null ? "0" : new String(old.stored(), 1, old.length(), StandardCharsets.ISO_8859_1);
        BigDecimal sum = decimal(text).add(decimal(call.request().text(2)));
        if (Double.isInfinite(sum.doubleValue())) {
            throw new CommandException("ERR increment would produce NaN or Infinity");
        }
        if (sum.scale() > MAX_DECIMALS) {
            sum = sum.setScale(MAX_DECIMALS, RoundingMode.HALF_EVEN);
        }
        String plain = sum.signum() == 0 ? "0" : sum.stripTrailingZeros().toPlainString();
        call.put(key, stored(plain), old == null ? Data.NEVER : old.expiresAtMillis());
        call.reply().bulk(plain);
    }

    private static BigDecimal decimal(String text) {
        try {
            // Digits of other scripts are digits to the JDK.
            if (text.length() <= MAX_NUMBER_BYTES && text.chars().allMatch(c -> c < 0x80)) {
                BigDecimal number = new BigDecimal(text);
                if (Math.abs((long) number.scale()) <= MAX_EXPONENT) {
                    return number;
                }
            }
        } catch (NumberFormatException e) {
            throw notADecimal();
        }
        throw notADecimal();
    }

    private static CommandException notADecimal() {
        return new CommandException("ERR value is not a valid float");
    }

    private static byte[] stored(String number) {
        byte[] stored = new byte[number.length() + 1];
        stored[0] = Keyspace.STRING;
        System.arraycopy(number.getBytes(StandardCharsets.US_ASCII), 0, stored, 1, number.length());
        return stored;
    }
}
