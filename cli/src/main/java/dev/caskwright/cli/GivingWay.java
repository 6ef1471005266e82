package dev.caskwright.cli;

import dev.caskwright.io.standard.StandardIoManager;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends this process when a program wants to open a store for writing that a command only looks at: no look makes a program's start
 * fail. The command may be in the middle of its output, or wait for whoever reads it; so it is not asked. One that closes the store
 * at once anyway, as those do that look again and again, goes on.
 */
final class GivingWay {
    private static final long PAUSE_MILLIS = 100;
    private static final int LOOKS = 3; // in a row at which somebody must be waiting
    private static final long FAREWELL_MILLIS = 500; // the program waits for two seconds in all

    private final PrintStream err;
    private final Set<Path> places = ConcurrentHashMap.newKeySet();

    GivingWay(PrintStream err) {
        this.err = err;
    }

    /** Gives way at a store from now on, until the process ends. */
    void at(Path place) {
        boolean isFirst = places.isEmpty();
        places.add(place);
        if (isFirst) {
            Thread thread = new Thread(this::watch, "caskwright-giving-way");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void watch() {
        Map<Path, Integer> waiting = new HashMap<>();
        try {
            while (true) {
                for (Path place : places) {
                    if (!StandardIoManager.isWriterWaiting(place)) {
                        waiting.remove(place);
                    } else if (waiting.merge(place, 1, Integer::sum) >= LOOKS) {
                        giveWay(place);
                    }
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException e) {
            return; // by nobody
        }
    }

    private void giveWay(Path place) throws InterruptedException {
        // By another thread: standard error may be the pipe that nobody reads, and then it waits as the command does.
        Thread farewell = new Thread(
                () -> Shell.complain(
                        err,
                        "ended, since a program is opening the store for writing, which comes first; run this again, and the program"
                                + " will be asked: store=" + place),
                "caskwright-farewell");
        farewell.setDaemon(true);
        farewell.start();
        farewell.join(FAREWELL_MILLIS);
        System.exit(ExitCode.STORE_ERROR);
    }
}
