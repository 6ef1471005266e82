package dev.caskwright.it;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The program of {@link FileSizeLimitTest}: writes, merges and closes while no file may become longer than the system says,
 * and prints what each call ended in: the number of a put that was acknowledged, or the error's type and message.
 */
final class LimitedWriter {
    private static final int REFUSED_ENOUGH = 5;

    private LimitedWriter() {}

    /** Arguments: directory, IO manager, greatest length of a data file, length of values, how many puts. */
    public static void main(String[] args) {
        int refused = 0;
        try (BitcaskEngine engine = new Combination("hashmap", args[1], args[1])
                .builder(Path.of(args[0]))
                .maxFileBytes(Long.parseLong(args[2]))
                .autoMerge(false)
                .open()) {
            byte[] value = new byte[Integer.parseInt(args[3])];
            for (int number = 0; number < Integer.parseInt(args[4]) && refused < REFUSED_ENOUGH; number++) {
                try {
                    engine.put(KeyValues.key(number), value);
                    System.out.println("put " + number);
                } catch (IOException e) {
                    refused++;
                    tell("put", e);
                }
            }
            attempt("sync", engine::sync);
            attempt("merge", engine::merge);
            attempt("delete", () -> engine.delete(KeyValues.key(0)));
            engine.visit(entry -> entry.value().length > 0);
            if (engine.health() != null) {
                System.out.println("failed " + engine.health());
            }
        } catch (IOException e) {
            tell("end", e);
        }
        System.out.println("over");
    }

    private interface Call {
        void run() throws IOException;
    }

    private static void attempt(String what, Call call) {
        try {
            call.run();
            System.out.println("ok " + what);
        } catch (IOException e) {
            tell(what, e);
        }
    }

    private static void tell(String what, IOException e) {
        ErrorCode code = e instanceof EngineException typed ? typed.code() : null;
        System.out.println("error " + what + " " + code + " " + e);
    }
}
