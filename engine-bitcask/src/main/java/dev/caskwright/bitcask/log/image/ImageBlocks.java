package dev.caskwright.bitcask.log.image;

import dev.caskwright.bitcask.log.format.Block;
import dev.caskwright.bitcask.log.keys.FileKey;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of an image in order. If there are many, a thread of its own reads and verifies those that come next, so that
 * the caller, who fills the index meanwhile, finds them ready.
 *
 * <p>{@link #next} and {@link #close} are for one thread. {@link #close} returns when nothing is read any more.
 */
final class ImageBlocks implements Closeable {
    private static final int AHEAD = 8;
    private static final int FEW_BLOCKS = 64; // to start a thread for fewer does not pay

    /** Fetches a block. */
    @FunctionalInterface
    interface Reader {
        /** Reads the block of that number to the start of the target, and verifies it. */
        void read(long number, byte[] target) throws IOException;
    }

    private final long count;
    private final Reader reader;
    private final @Nullable Thread thread;
    private long number;
    private byte[] current = {};

    // Guarded by this.
    private final Deque<byte[]> ready = new ArrayDeque<>();
    private final Deque<byte[]> free = new ArrayDeque<>();
    private @Nullable Throwable failure;
    private boolean isClosed;

    ImageBlocks(long count, Reader reader) {
        this.count = count;
        this.reader = reader;
        if (count <= FEW_BLOCKS) {
            thread = null;
            return;
        }
        for (int i = 0; i < AHEAD; i++) {
            free.add(newBlock());
        }
        thread = new Thread(this::readAhead, "caskwright-image");
        thread.setDaemon(true);
        thread.start();
    }

    /** Returns the next block, which the caller may use until the next call. There must be one. */
    byte[] next() throws IOException {
        if (thread == null) {
            current = current.length == 0 ? newBlock() : current;
            reader.read(number++, current);
            return current;
        }
        if (current.length > 0) {
            giveBack(current);
        }
        current = takeReady();
        if (current.length == 0) {
            throwFailure();
        }
        return current;
    }

    private synchronized void throwFailure() throws IOException {
        if (failure instanceof IOException e) {
            throw e;
        } else if (failure instanceof RuntimeException e) {
            throw e;
        } else if (failure instanceof Error e) {
            throw e;
        }
    }

    private synchronized void giveBack(byte[] block) {
        free.add(block);
        notifyAll();
    }

    /** Returns the next block, or an empty array if reading failed before it. */
    private synchronized byte[] takeReady() {
        await(() -> !ready.isEmpty() || failure != null);
        return ready.isEmpty() ? new byte[0] : ready.remove();
    }

    private void readAhead() {
        try {
            for (long i = 0; i < count; i++) {
                byte[] block = takeFree();
                if (block == null) {
                    return;
                }
                reader.read(i, block);
                synchronized (this) {
                    ready.add(block);
                    notifyAll();
                }
            }
        } catch (IOException | RuntimeException | Error e) {
            synchronized (this) {
                failure = e;
                notifyAll();
            }
        }
    }

    private synchronized byte @Nullable [] takeFree() {
        await(() -> !free.isEmpty() || isClosed);
        return isClosed ? null : free.remove();
    }

    /** Waits for what another thread does. An interrupt is kept for later: opening goes on. */
    private synchronized void await(BooleanSupplier condition) {
        boolean isInterrupted = false;
        while (!condition.getAsBoolean()) {
            try {
                wait();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        restore(isInterrupted);
    }

    @Override
    public void close() {
        Thread started = thread;
        if (started == null) {
            return;
        }
        synchronized (this) {
            isClosed = true;
            notifyAll();
        }
        boolean isInterrupted = false;
        while (started.isAlive()) {
            try {
                started.join();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        restore(isInterrupted);
    }

    private static void restore(boolean isInterrupted) {
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] newBlock() {
        return new byte[Block.HEADER_LENGTH + ImageFile.BLOCK_LENGTH + FileKey.BLOCK_OVERHEAD];
    }
}
