package dev.caskwright.it;

import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The program that {@link KillTest} kills: does numbered writes for ever and prints the number of each that returned. */
final class KilledWriter {
    private static final int KEYS = 100;

    private KilledWriter() {}

    /** Arguments: directory, IO manager, number of the first write, and whether to merge all the time. */
    public static void main(String[] args) throws IOException {
        PrintStream acknowledgements = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BitcaskEngine engine = new Combination("hashmap", args[1], args[1])
                .builder(Path.of(args[0]))
                .open();
        if (Boolean.parseBoolean(args[3])) {
            Thread merging = new Thread(() -> mergeForEver(engine));
            merging.setDaemon(true);
            merging.start();
        }
        for (long number = Long.parseLong(args[2]); ; number++) {
            write(engine, number);
            acknowledgements.println(number);
        }
    }

    private static void mergeForEver(BitcaskEngine engine) {
        try {
            while (true) {
                engine.merge();
            }
        } catch (IOException e) {
            throw new AssertionError("merge failed", e);
        }
    }

    private static void write(BitcaskEngine engine, long number) throws IOException {
        WriteOptions options = number % 16 == 0 ? WriteOptions.SYNC : WriteOptions.WRITE;
        byte[] key = key(number);
        switch ((int) (number % 5)) {
            case 0 -> engine.delete(key, options);
            case 1 ->
                engine.write(new WriteBatch().put(key, value(number)).put(key(number + 1), value(number)), options);
            default -> engine.put(key, value(number), options);
        }
    }

    /** Does to a map what a write does to the store. */
    static void apply(Map<byte[], byte[]> state, long number) {
        switch ((int) (number % 5)) {
            case 0 -> state.remove(key(number));
            case 1 -> {
                state.put(key(number), value(number));
                state.put(key(number + 1), value(number));
            }
            default -> state.put(key(number), value(number));
        }
    }

    private static byte[] key(long number) {
        return KeyValues.key((int) (number * 7919 % KEYS));
    }

    private static byte[] value(long number) {
        return KeyValues.bytes(number + " ".repeat((int) (number % 97)));
    }

    static Map<byte[], byte[]> newState() {
        return new TreeMap<>(java.util.Arrays::compareUnsigned);
    }

    /** Returns whether a store holds what {@link #apply} made of a state. */
    static boolean isSame(Map<byte[], byte[]> expected, NavigableMap<byte[], Entry> found) {
        return expected.size() == found.size()
                && expected.entrySet().stream()
                        .allMatch(each -> found.containsKey(each.getKey())
                                && Arrays.equals(
                                        each.getValue(),
                                        found.get(each.getKey()).value()));
    }
}
