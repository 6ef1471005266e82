package dev.caskwright.balance;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where a {@link PolledDiscovery} finds endpoints. */
public final class Sources {
    private static final int MAX_LINES = 100_000;

    private Sources() {}

    /**
     * Returns the endpoints of a file: one a line, {@code host:port [weight [zone]]}; an address of IPv6 stands in brackets. Empty
     * lines and what follows a {@code #} do not count. Replace such a file by renaming another one to its name, so that nobody
     * reads half of it.
     */
    public static PolledDiscovery.Source file(Path file) {
        return () -> parse(Files.readAllLines(file, StandardCharsets.UTF_8), file);
    }

    /** Returns an endpoint for each address that a name has, in the JDK's way of asking the domain name system. */
    public static PolledDiscovery.Source dns(String host, int port) {
        return () -> {
            List<Endpoint> endpoints = new ArrayList<>();
            for (InetAddress address : InetAddress.getAllByName(host)) {
                endpoints.add(Endpoint.of(address.getHostAddress(), port));
            }
            return ServiceList.of(endpoints);
        };
    }

    private static ServiceList parse(List<String> lines, Path file) throws IOException {
        List<Endpoint> endpoints = new ArrayList<>();
        if (lines.size() > MAX_LINES) {
            throw new IOException(
                    "too many lines: file=" + file + ", lines=" + lines.size() + ", allowed=" + MAX_LINES);
        }
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1).replaceFirst("#.*", "").strip();
            if (!line.isEmpty()) {
                endpoints.add(endpoint(line.split("\\s+"), file, number));
            }
        }
        return ServiceList.of(endpoints);
    }

    private static Endpoint endpoint(String[] words, Path file, int line) throws IOException {
        int colon = words[0].lastIndexOf(':');
        try {
            String host = words[0].substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            int port = Integer.parseInt(words[0].substring(colon + 1));
            int weight = words.length > 1 ? Integer.parseInt(words[1]) : 1;
            return new Endpoint(words[0], host, port, weight, words.length > 2 ? words[2] : "", 0);
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
            throw new IOException(
                    "not \"host:port [weight [zone]]\": file=" + file + ", line=" + line + ", found=" + words[0], e);
        }
    }
}
