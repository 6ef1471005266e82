package dev.caskwright.server.raft;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.caskwright.server.config.Option;
import dev.caskwright.server.config.ServerConfig;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Three servers of this toolkit that are one, or a server alone, with clients over RESP. */
final class CaskwrightFigureStore implements FigureStore {
    private static final String HEAP = System.getProperty("caskwright.figures.heap", "1g");

    private final Path directory;
    private final int members;
    private final long electionMillis;
    private final List<Integer> ports;
    private final Process[] processes;

    /** @param members three, or one that is a server without a group */
    CaskwrightFigureStore(Path directory, int members, long electionMillis) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.members = members;
        this.electionMillis = electionMillis;
        ports = RaftServerTest.freePorts(2 * members);
        processes = new Process[members];
        for (int i = 0; i < members; i++) {
            start(i);
        }
    }

    private ServerConfig config(int member) {
        ServerConfig config = new ServerConfig()
                .set("bind", "127.0.0.1")
                .set("port", ports.get(member).toString());
        if (members == 1) {
            return config;
        }
        StringBuilder peers = new StringBuilder();
        for (int i = 0; i < members; i++) {
            peers.append("n" + i + "@127.0.0.1:" + ports.get(members + i) + "/" + ports.get(i) + " ");
        }
        return config.set("mode", "raft")
                .set("raft-id", "n" + member)
                .set("raft-peers", peers.toString())
                .set("raft-election-timeout", Long.toString(electionMillis));
    }

    Path directory(int member) {
        return directory.resolve("n" + member);
    }

    @Override
    public void start(int member) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Option option : config(member).options()) {
            if (option.name().startsWith("raft-")
                    || List.of("mode", "bind", "port").contains(option.name())) {
                lines.add(option.name() + " \"" + option.text() + "\"");
            }
        }
        Path file = Files.write(directory.resolve("n" + member + ".conf"), lines);
        processes[member] = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + HEAP,
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MemberProcess.class.getName(),
                        directory(member).toString(),
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("n" + member + ".log").toFile())
                .start();
    }

    @Override
    public List<Process> processes() {
        return Arrays.asList(processes);
    }

    /** Returns a number that a member tells of itself, or -1 if it does not answer. */
    long figure(int member, String name) {
        String value = info(member, name);
        return value.isEmpty() ? -1 : Long.parseLong(value);
    }

    private String info(int member, String name) {
        try (RespConnection connection = new RespConnection(ports.get(member))) {
            for (String line :
                    connection.call("INFO", "replication").substring(1).split("\r\n")) {
                if (line.startsWith(name + ":")) {
                    return line.substring(name.length() + 1);
                }
            }
        } catch (IOException e) {
            return ""; // it is not up yet
        }
        return "";
    }

    @Override
    public int awaitLeader() throws IOException {
        int[] leader = {-1};
        RaftServerTest.await("a leader, and no lag", () -> {
            int up = 0;
            for (int i = 0; i < members; i++) {
                boolean isLeader =
                        members == 1 ? isReachable() : info(i, "raft_role").equals("leader");
                leader[0] = isLeader ? i : leader[0];
                up += members == 1 || figure(i, "raft_lag_entries") == 0 ? 1 : 0;
            }
            return leader[0] >= 0 && up == members;
        });
        return leader[0];
    }

    private boolean isReachable() {
        try (RespConnection connection = new RespConnection(ports.get(0))) {
            return connection.call("PING").equals("+PONG");
        } catch (IOException e) {
            return false; // it is not up yet
        }
    }

    @Override
    public Client client(int member) throws IOException {
        return new RespClient(ports.get(member));
    }

    private static final class RespClient implements Client {
        private static final int PATIENCE_MILLIS = 60_000;

        private final Socket socket;
        private final DataInputStream in;

        RespClient(int port) throws IOException {
            socket = new Socket(InetAddress.getByName("127.0.0.1"), port);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(PATIENCE_MILLIS);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 64 << 10));
        }

        @Override
        public void put(long[] keys, int bytes) throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream(keys.length * (bytes + 64));
            byte[] value = new byte[bytes];
            for (long key : keys) {
                ThreadLocalRandom.current().nextBytes(value);
                command(out, "SET".getBytes(US_ASCII), FigureStore.key(key), value);
            }
            socket.getOutputStream().write(out.toByteArray());
            for (int i = 0; i < keys.length; i++) {
                expect("+OK", line());
            }
        }

        @Override
        public void get(long[] keys, int bytes) throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream(keys.length * 64);
            for (long key : keys) {
                command(out, "GET".getBytes(US_ASCII), FigureStore.key(key));
            }
            socket.getOutputStream().write(out.toByteArray());
            for (int i = 0; i < keys.length; i++) {
                expect("$" + bytes, line());
                in.skipNBytes(bytes + 2L);
            }
        }

        private static void command(ByteArrayOutputStream out, byte[]... parts) {
            out.writeBytes(("*" + parts.length + "\r\n").getBytes(US_ASCII));
            for (byte[] part : parts) {
                out.writeBytes(("$" + part.length + "\r\n").getBytes(US_ASCII));
                out.writeBytes(part);
                out.writeBytes(new byte[] {'\r', '\n'});
            }
        }

        private static void expect(String wanted, String found) throws IOException {
            if (!found.equals(wanted)) {
                throw new IOException("another reply than expected: expected=" + wanted + ", found=" + found);
            }
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder(8);
            for (int c = in.readUnsignedByte(); c != '\r'; c = in.readUnsignedByte()) {
                line.append((char) c);
            }
            in.readByte();
            return line.toString();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
