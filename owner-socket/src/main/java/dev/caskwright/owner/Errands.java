package dev.caskwright.owner;

import java.io.IOException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What clients ask for and takes long: backups, checkpoints, merges. One runs at a time in all of the process, in a thread that
 * ends when there is nothing to do. A client that goes away does not end what it began.
 */
final class Errands {
    private static final int MAX_WAITING = 4;
    private static final long IDLE_SECONDS = 10;

    private static final ThreadPoolExecutor THREAD = new ThreadPoolExecutor(
            1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MAX_WAITING), task -> {
                Thread thread = new Thread(task, "caskwright-owner-errands");
                thread.setDaemon(true);
                return thread;
            });

    static {
        THREAD.allowCoreThreadTimeOut(true);
    }

    private Errands() {}

    /** Something to do, with an answer. */
    @FunctionalInterface
    interface Errand {
        byte[] run() throws IOException;
    }

    /** The answer of an errand, once it is done. */
    private static final class Pending implements Answer {
        private volatile byte @Nullable [] result;
        private volatile @Nullable Throwable failure;
        private boolean isOver;

        @Override
        public boolean holdsMuch() {
            return false;
        }

        @Override
        public byte @Nullable [][] next() throws IOException {
            Throwable thrown = failure;
            if (thrown instanceof IOException e) {
                throw e;
            }
            if (thrown != null) {
                throw new IOException("it failed in the owner: " + thrown, thrown);
            }
            byte[] done = result;
            if (done == null) {
                return NOT_YET;
            }
            byte[][] answer = isOver ? null : new byte[][] {done};
            isOver = true;
            return answer;
        }
    }

    /**
     * Begins an errand, after those that wait.
     *
     * @param done called when the answer is there, by another thread
     * @throws IOException if too many wait
     */
    static Answer begin(Errand errand, Runnable done) throws IOException {
        Pending pending = new Pending();
        try {
            THREAD.execute(() -> {
                try {
                    pending.result = errand.run();
                } catch (Throwable e) {
                    pending.failure = e; // told to the client
                } finally {
                    done.run();
                }
            });
        } catch (RejectedExecutionException e) {
            throw new IOException("the owner has enough to do: waiting=" + MAX_WAITING + "; ask again later", e);
        }
        return pending;
    }
}
