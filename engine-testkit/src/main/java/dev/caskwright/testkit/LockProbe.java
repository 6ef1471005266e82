package dev.caskwright.testkit;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.io.IoManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A process that takes the lock of a directory, says whether it got it, and leaves, or stays until it is killed. */
final class LockProbe {
    private LockProbe() {}

    /** Takes the manager's name, the directory, whether the lock is exclusive, and "try" or "hold". */
    public static void main(String[] arguments) throws IOException {
        try (IoManager manager = Backends.ioManager(arguments[0]).open(Path.of(arguments[1]), false);
                IoManager.Lock lock = manager.lock(Boolean.parseBoolean(arguments[2]))) {
            say(lock == null ? "nothing" : "locked");
            if (arguments[3].equals("hold")) {
                int end = System.in.read();
                say("released after " + end);
            }
        } catch (EngineLockedException e) {
            say("refused: " + e.getMessage());
        }
    }

    private static void say(String line) {
        byte[] bytes = (line + System.lineSeparator()).getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }
}
