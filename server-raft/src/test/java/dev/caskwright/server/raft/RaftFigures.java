package dev.caskwright.server.raft;

import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.server.raft.FigureStore.Client;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Measures what docs/raft.md says of mode raft: three processes on loopback, beside a server that is alone and beside three processes of
 * etcd, in turns. Prints a table in Markdown. Some minutes:
 *
 * <pre>
 * ./mvnw -q -pl server-raft -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -cp server-raft/target/test-classes:server-raft/target/classes:$(cat server-raft/target/classpath) \
 *   dev.caskwright.server.raft.RaftFigures DIRECTORY
 * </pre>
 *
 * <p>Properties, as {@code -Dcaskwright.figures.NAME=...}: {@code rounds} (3) of {@code seconds} (5) for each load after one of {@code warmup} (15) seconds, {@code kills} (3) of
 * each leader, {@code megabytes} (200) of the member that catches up, with values of {@code bytes} (1000), {@code dead} (20) seconds of
 * load for which a member is dead, {@code parts} (load,failover,catchup), {@code heap} (1g) of each server, {@code etcd}
 * (/usr/bin/etcd). The directory must be on the disk that is meant; what is made there is deleted again.
 */
public final class RaftFigures {
    private static final int ROUNDS = Integer.getInteger("caskwright.figures.rounds", 3);
    private static final int SECONDS = Integer.getInteger("caskwright.figures.seconds", 5);
    private static final int WARM_UP_SECONDS = Integer.getInteger("caskwright.figures.warmup", 15);
    private static final int KILLS = Integer.getInteger("caskwright.figures.kills", 3);
    private static final int MEGABYTES = Integer.getInteger("caskwright.figures.megabytes", 200);
    private static final int FILLED_BYTES = Integer.getInteger("caskwright.figures.bytes", 1_000);
    private static final int DEAD_SECONDS = Integer.getInteger("caskwright.figures.dead", 20);
    private static final List<String> PARTS =
            List.of(System.getProperty("caskwright.figures.parts", "load,failover,catchup")
                    .split(","));

    private static final int CONNECTIONS = 50;
    private static final int PIPELINED = 16;
    private static final int KEYS = 100_000;
    private static final long ELECTION_MILLIS = 1_000;
    private static final int MEMBERS = 3;

    /** What an entry of the load with pipelining has, roughly: half of what 50 connections have under way. */
    private static final int ENTRY_COMMANDS = CONNECTIONS * PIPELINED / 2;

    private static final int ENTRY_BYTES = ENTRY_COMMANDS * 160;

    /** A load: what each connection does. */
    private enum Load {
        SET_PIPELINED("SET/s, pipelined by 16", PIPELINED, false),
        SET("SET/s, one at a time", 1, false),
        GET_PIPELINED("GET/s, pipelined by 16", PIPELINED, true),
        GET("GET/s, one at a time", 1, true);

        private final String title;
        private final int window;
        private final boolean isGet;

        Load(String title, int window, boolean isGet) {
            this.title = title;
            this.window = window;
            this.isGet = isGet;
        }
    }

    private final Path directory;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "figures");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, List<Double>> figures = new TreeMap<>();
    private final List<String> table = new ArrayList<>();

    private RaftFigures(Path directory) {
        this.directory = directory;
    }

    /** Measures, and prints a table. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("needs a directory");
        }
        Path own = Files.createTempDirectory(Files.createDirectories(Path.of(arguments[0])), "figures");
        RaftFigures figures = new RaftFigures(own);
        try {
            figures.measureAll();
        } finally {
            SideFiles.deleteTree(own);
        }
        System.exit(0); // threads of gRPC
    }

    private void measureAll() throws Exception {
        boolean hasEtcd = EtcdFigureStore.isThere();
        if (!hasEtcd) {
            System.err.println("*** etcd is missing: nothing is measured beside it. Install Debian's etcd-server ***");
        }
        table.add("| what | goal | Caskwright | alone | etcd | limit in the same run |");
        table.add("| --- | --: | --: | --: | --: | --: |");
        try {
            if (PARTS.contains("load")) {
                measureLoads(hasEtcd);
            }
            if (PARTS.contains("failover")) {
                measureFailovers(hasEtcd);
            }
            if (PARTS.contains("catchup")) {
                measureCatchUp();
            }
        } finally {
            table.forEach(System.out::println); // also if a later part fails
        }
    }

    private static void progress(String what) {
        System.err.println(what);
    }

    // ---------------------------------------------------------------- load

    private void measureLoads(boolean hasEtcd) throws Exception {
        Map<String, FigureStore> stores = new TreeMap<>();
        try {
            stores.put("raft", new CaskwrightFigureStore(directory.resolve("raft"), MEMBERS, ELECTION_MILLIS));
            stores.put("alone", new CaskwrightFigureStore(directory.resolve("alone"), 1, ELECTION_MILLIS));
            if (hasEtcd) {
                stores.put("etcd", new EtcdFigureStore(directory.resolve("etcd"), ELECTION_MILLIS));
            }
            for (FigureStore store : stores.values()) {
                preload(store);
            }
            for (int round = -1; round < ROUNDS; round++) {
                for (Load load : Load.values()) {
                    for (Map.Entry<String, FigureStore> store : stores.entrySet()) {
                        run(store.getKey(), store.getValue(), load, round < 0);
                    }
                    if (round >= 0) {
                        double millis = forceMillis();
                        note("force", millis);
                    }
                }
                progress("round " + round + ": " + figures);
            }
        } finally {
            for (FigureStore store : stores.values()) {
                store.close();
            }
        }
        double entries = emptyMachine(ENTRY_BYTES, 2);
        double single = emptyMachine(CONNECTIONS * 160 / 2, 2);
        String force = text(median("force")) + " ms a force of three logs at once";
        row(Load.SET_PIPELINED, 40_000, text(entries * ENTRY_COMMANDS) + ": Ratis without a store; " + force);
        row(Load.SET, 5_000, text(single * CONNECTIONS / 2) + ": Ratis without a store; " + force);
        row(Load.GET_PIPELINED, 0.6 * median("alone " + Load.GET_PIPELINED), "");
        row(Load.GET, 0.6 * median("alone " + Load.GET), "");
    }

    private void row(Load load, double goal, String limit) {
        StringBuilder line = new StringBuilder(
                "| " + load.title + ", 50 connections (µs of processor time of the servers)" + " | " + text(goal));
        for (String store : List.of("raft", "alone", "etcd")) {
            line.append(" | ").append(text(median(store + " " + load)));
            line.append(" (").append(text(median(store + " " + load + " µs"))).append(")");
        }
        table.add(line + " | " + limit + " |");
    }

    private static void preload(FigureStore store) throws IOException {
        try (Client client = store.client(store.awaitLeader())) {
            for (int first = 0; first < KEYS; first += 1_000) {
                long[] keys = new long[1_000];
                for (int i = 0; i < keys.length; i++) {
                    keys[i] = first + i;
                }
                client.put(keys, FigureStore.VALUE);
            }
        }
    }

    private void run(String name, FigureStore store, Load load, boolean isWarmUp) throws Exception {
        List<Client> clients = new ArrayList<>();
        try {
            int leader = store.awaitLeader();
            for (int i = 0; i < CONNECTIONS; i++) {
                clients.add(store.client(leader));
            }
            AtomicLong count = new AtomicLong();
            long processor = store.processorNanos();
            long start = System.nanoTime();
            long end = start + TimeUnit.SECONDS.toNanos(isWarmUp ? WARM_UP_SECONDS : SECONDS);
            List<Callable<Void>> tasks = new ArrayList<>();
            for (Client client : clients) {
                tasks.add(() -> {
                    Random random = new Random();
                    long[] keys = new long[load.window];
                    while (System.nanoTime() < end) {
                        Arrays.setAll(keys, i -> random.nextInt(KEYS));
                        if (load.isGet) {
                            client.get(keys, FigureStore.VALUE);
                        } else {
                            client.put(keys, FigureStore.VALUE);
                        }
                        count.addAndGet(keys.length);
                    }
                    return null;
                });
            }
            all(threads.invokeAll(tasks));
            if (!isWarmUp) {
                note(name + " " + load, count.get() * 1e9 / (System.nanoTime() - start));
                note(name + " " + load + " µs", (store.processorNanos() - processor) / 1e3 / count.get());
            }
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
    }

    private static void all(List<Future<Void>> ends) throws Exception {
        for (Future<Void> end : ends) {
            end.get();
        }
    }

    /** Returns the median time of a force of as many bytes as an entry has, by three threads at once, as three members on a disk. */
    private double forceMillis() throws Exception {
        List<Callable<Double>> tasks = new ArrayList<>();
        for (int i = 0; i < MEMBERS; i++) {
            Path file = directory.resolve("forced-" + i);
            tasks.add(() -> forceMillis(file));
        }
        double sum = 0;
        for (Future<Double> median : threads.invokeAll(tasks)) {
            sum += median.get();
        }
        return sum / MEMBERS;
    }

    private static double forceMillis(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            double[] millis = new double[50];
            ByteBuffer bytes = ByteBuffer.allocateDirect(ENTRY_BYTES);
            for (int i = 0; i < millis.length; i++) {
                long start = System.nanoTime();
                channel.write(bytes.clear(), (long) i * ENTRY_BYTES);
                channel.force(false);
                millis[i] = (System.nanoTime() - start) / 1e6;
            }
            Arrays.sort(millis);
            return millis[millis.length / 2];
        } finally {
            Files.delete(file);
        }
    }

    /** Returns how many entries a second a group of Ratis without a store agrees on. */
    private double emptyMachine(int bytes, int underWay) throws Exception {
        List<Integer> ports = RaftServerTest.freePorts(MEMBERS);
        List<Process> processes = new ArrayList<>();
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        Path place = Files.createDirectories(directory.resolve("empty-" + bytes));
        try {
            for (int i = 0; i < MEMBERS; i++) {
                List<String> command = new ArrayList<>(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        EmptyMachine.class.getName(),
                        place.resolve("n" + i).toString(),
                        Integer.toString(i),
                        Integer.toString(bytes),
                        Integer.toString(underWay),
                        Integer.toString(WARM_UP_SECONDS),
                        Integer.toString(SECONDS)));
                ports.forEach(port -> command.add(port.toString()));
                Process process = new ProcessBuilder(command)
                        .redirectError(place.resolve("n" + i + ".log").toFile())
                        .start();
                processes.add(process);
                threads.submit(() -> {
                    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                        out.lines().forEach(told::add);
                    }
                    return null;
                });
            }
            String rate = told.poll(180L + WARM_UP_SECONDS + SECONDS, TimeUnit.SECONDS);
            return rate == null ? Double.NaN : Double.parseDouble(rate);
        } finally {
            for (Process process : processes) {
                FigureStore.end(process);
            }
            SideFiles.deleteTree(place);
        }
    }

    // ---------------------------------------------------------------- failover

    private void measureFailovers(boolean hasEtcd) throws Exception {
        List<String> cells = new ArrayList<>();
        try (FigureStore store =
                new CaskwrightFigureStore(directory.resolve("raft-failover"), MEMBERS, ELECTION_MILLIS)) {
            cells.add(failovers(store));
        }
        cells.add("–");
        if (hasEtcd) {
            try (FigureStore store = new EtcdFigureStore(directory.resolve("etcd-failover"), ELECTION_MILLIS)) {
                cells.add(failovers(store));
            }
        } else {
            cells.add("–");
        }
        table.add(
                "| first acknowledged write after a kill of the leader, ms: median, longest, how many within the goal | "
                        + 3 * 2 * ELECTION_MILLIS + " | " + String.join(" | ", cells) + " | |");
    }

    private String failovers(FigureStore store) throws Exception {
        double[] millis = new double[KILLS];
        int isWithin = 0;
        for (int i = 0; i < KILLS; i++) {
            int leader = store.awaitLeader();
            List<Client> clients = store.clientsBeside(leader);
            for (Client client : clients) {
                client.put(new long[] {i}, FigureStore.VALUE);
                client.close();
            }
            store.kill(leader);
            long start = System.nanoTime();
            firstWrite(store, leader);
            millis[i] = (System.nanoTime() - start) / 1e6;
            isWithin += millis[i] <= 3 * 2 * ELECTION_MILLIS ? 1 : 0;
            progress("failover " + i + ": " + text(millis[i]) + " ms");
            store.start(leader);
        }
        Arrays.sort(millis);
        return KILLS == 0
                ? "–"
                : text(millis[KILLS / 2]) + ", " + text(millis[KILLS - 1]) + ", " + isWithin + " of " + KILLS;
    }

    /**
     * Returns once a member that is up has acknowledged a write that was begun after the call. Another one begins every 50 ms at each,
     * whatever became of those before: one that came while nobody led may be lost, and is waited for in vain.
     */
    private void firstWrite(FigureStore store, int killed) throws Exception {
        BlockingQueue<Boolean> done = new LinkedBlockingQueue<>();
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        do {
            for (int i = 0; i < MEMBERS; i++) {
                int member = i;
                if (member != killed) {
                    threads.submit(() -> {
                        try (Client client = store.client(member)) {
                            client.put(new long[] {killed}, FigureStore.VALUE);
                            return done.add(true);
                        }
                    });
                }
            }
        } while (done.poll(50, TimeUnit.MILLISECONDS) == null && System.nanoTime() < end);
        if (System.nanoTime() >= end) {
            throw new IOException("no write was acknowledged in two minutes after a kill of the leader");
        }
    }

    // ---------------------------------------------------------------- catching up

    private void measureCatchUp() throws Exception {
        try (CaskwrightFigureStore store =
                new CaskwrightFigureStore(directory.resolve("raft-catchup"), MEMBERS, ELECTION_MILLIS)) {
            int leader = store.awaitLeader();
            int dead = (leader + 1) % MEMBERS;
            store.kill(dead);
            AtomicLong filled = new AtomicLong();
            AtomicBoolean isOver = new AtomicBoolean();
            List<Future<Void>> writers = new ArrayList<>();
            long wanted = (MEGABYTES << 20L) / FILLED_BYTES;
            for (int i = 0; i < 8; i++) {
                writers.add(threads.submit(() -> fill(store, filled, wanted, isOver)));
            }
            long start = System.nanoTime();
            long mostLog = 0;
            while (filled.get() < wanted || System.nanoTime() - start < TimeUnit.SECONDS.toNanos(DEAD_SECONDS)) {
                mostLog = Math.max(mostLog, size(store.directory(leader).resolve("log")));
                Thread.sleep(100); // a sample
            }
            isOver.set(true);
            all(writers);
            double seconds = (System.nanoTime() - start) / 1e9;
            progress("filled: " + filled + " puts in " + text(seconds) + " s");
            leader = leader(store, leader);
            table.add(String.format(
                    Locale.ROOT,
                    "| log of the leader, MB, a member dead for %.0f s, %d MB written | 160 | %.0f | | | two spaces of 64 MiB"
                            + " between forces of the store, and segments |",
                    seconds,
                    filled.get() * FILLED_BYTES >> 20,
                    mostLog / 1e6));
            double quiet = longestWaitMillis(store, leader, TimeUnit.SECONDS.toNanos(5), () -> false);
            long bytes = size(store.directory(leader).resolve("store"));
            long target = store.figure(leader, "raft_applied_index");
            long begun = System.nanoTime();
            store.start(dead);
            double wait = longestWaitMillis(
                    store,
                    leader,
                    TimeUnit.MINUTES.toNanos(20),
                    () -> store.figure(dead, "raft_applied_index") >= target);
            double took = (System.nanoTime() - begun) / 1e9;
            double copyMillis = copyMillis(store.directory(leader).resolve("store"), directory.resolve("copied"));
            table.add(String.format(
                    Locale.ROOT,
                    "| a member of %.0f MB (values of %d bytes) catches up, MB/s from the start of its process | 100 | %.0f | | |"
                            + " %.0f: copying the files, verifying none, and forcing them |",
                    bytes / 1e6,
                    FILLED_BYTES,
                    bytes / 1e6 / took,
                    bytes / 1e3 / copyMillis));
            table.add(String.format(
                    Locale.ROOT,
                    "| longest wait of a write at the leader meanwhile, ms | 100 | %.0f | | | %.0f: in 5 s without it |",
                    wait,
                    quiet));
        }
    }

    private static int leader(CaskwrightFigureStore store, int before) {
        for (int i = 0; i < MEMBERS; i++) {
            if (store.figure(i, "raft_lag_entries_of_n" + (i + 1) % MEMBERS) >= 0) {
                return i;
            }
        }
        return before;
    }

    private static Void fill(CaskwrightFigureStore store, AtomicLong filled, long distinct, AtomicBoolean isOver)
            throws IOException {
        try (Client client = store.client(leader(store, 0))) {
            long[] keys = new long[64];
            while (!isOver.get()) {
                long first = filled.getAndAdd(keys.length);
                Arrays.setAll(keys, i -> (first + i) % distinct);
                client.put(keys, FILLED_BYTES);
            }
        }
        return null;
    }

    /** Writes one value after another at a member until a time has passed or a state is reached; returns the longest wait. */
    private static double longestWaitMillis(
            CaskwrightFigureStore store, int member, long nanos, java.util.function.BooleanSupplier isReached)
            throws IOException {
        long longest = 0;
        long looked = System.nanoTime();
        long end = looked + nanos;
        try (Client client = store.client(member)) {
            while (System.nanoTime() < end) {
                long start = System.nanoTime();
                client.put(new long[] {start % KEYS}, FigureStore.VALUE);
                longest = Math.max(longest, System.nanoTime() - start);
                if (System.nanoTime() - looked > TimeUnit.MILLISECONDS.toNanos(50)) {
                    looked = System.nanoTime();
                    if (isReached.getAsBoolean()) {
                        return longest / 1e6;
                    }
                }
            }
        }
        return longest / 1e6;
    }

    private static double copyMillis(Path from, Path to) throws IOException {
        long start = System.nanoTime();
        Files.createDirectories(to);
        try (Stream<Path> all = Files.list(from)) {
            for (Path each : all.filter(Files::isRegularFile).toList()) {
                Path copy = Files.copy(each, to.resolve(each.getFileName()));
                try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
            }
        }
        double millis = (System.nanoTime() - start) / 1e6;
        SideFiles.deleteTree(to);
        return millis;
    }

    private static long size(Path path) throws IOException {
        long sum = 0;
        try (Stream<Path> all = Files.walk(path)) {
            for (Path each : all.toList()) {
                try {
                    sum += Files.isRegularFile(each) ? Files.size(each) : 0;
                } catch (java.nio.file.NoSuchFileException e) {
                    sum += 0; // it was given back meanwhile
                }
            }
        } catch (java.io.UncheckedIOException e) {
            return sum; // one that was being walked was given back
        }
        return sum;
    }

    // ---------------------------------------------------------------- figures

    private void note(String what, double figure) {
        figures.computeIfAbsent(what, key -> new ArrayList<>()).add(figure);
    }

    private double median(String what) {
        double[] sorted = figures.getOrDefault(what, List.of()).stream()
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }

    private static String text(double figure) {
        return Double.isNaN(figure) ? "–" : String.format(Locale.ROOT, figure < 100 ? "%.1f" : "%,.0f", figure);
    }
}
