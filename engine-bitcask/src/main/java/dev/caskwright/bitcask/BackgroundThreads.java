package dev.caskwright.bitcask;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of one engine for sealing, merging and checkpoints: three, so that neither a long merge nor a checkpoint
 * holds up sealing. They end when there is nothing to do for a while.
 */
final class BackgroundThreads {
    private BackgroundThreads() {}

    static ExecutorService start() {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                3,
                3,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> {
                    Thread thread = new Thread(task, "caskwright-background");
                    thread.setDaemon(true);
                    return thread;
                },
                BackgroundThreads::rejected);
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    /** A task that comes while the engine closes has nothing left to do: closing itself seals, and merges are over. */
    private static void rejected(Runnable task, ThreadPoolExecutor executor) {
        if (!executor.isShutdown()) {
            throw new RejectedExecutionException("background task refused: " + task);
        }
    }

    /** Lets running tasks end. */
    static void stop(ExecutorService executor) {
        executor.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (executor.awaitTermination(1, TimeUnit.MINUTES)) {
                    break;
                }
                logger().warn("still waiting for a background task to end");
            } catch (InterruptedException e) {
                interrupted = true; // kept for later: files must not be closed under a running task
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(BackgroundThreads.class);
    }
}
