package dev.caskwright.server.raft;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A store of one process or three, and clients of it: what {@link RaftFigures} puts load on. */
interface FigureStore extends AutoCloseable {
    /** The bytes of each value, unless said otherwise. */
    int VALUE = 100;

    /** A client, for one thread. */
    interface Client extends Closeable {
        /** Stores a value of so many bytes under each key, all on their way at once, and waits for all. */
        void put(long[] keys, int bytes) throws IOException;

        /** Reads each key, all on their way at once, waits for all, and checks that each was there. */
        void get(long[] keys, int bytes) throws IOException;
    }

    /** Returns a client of a process. */
    Client client(int member) throws IOException;

    /** Returns a client of each process but one, which was killed. */
    default List<Client> clientsBeside(int killed) throws IOException {
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < processes().size(); i++) {
            if (i != killed) {
                clients.add(client(i));
            }
        }
        return clients;
    }

    /** Returns which process leads; waits until one does, and all of them know of what was acknowledged. */
    int awaitLeader() throws IOException;

    /** Kills a process, by kill -9. */
    default void kill(int member) throws IOException {
        end(processes().get(member));
    }

    /** Starts a process that was killed. */
    void start(int member) throws IOException;

    List<Process> processes();

    /** Returns the processor time that the processes have taken. */
    default long processorNanos() {
        return processes().stream()
                .mapToLong(process ->
                        process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos())
                .sum();
    }

    static byte[] key(long number) {
        return String.format("key:%012d", number).getBytes(US_ASCII);
    }

    @Override
    default void close() throws IOException {
        for (Process process : processes()) {
            end(process);
        }
    }

    static void end(Process process) throws IOException {
        try {
            process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a process ended", e);
        }
    }
}
