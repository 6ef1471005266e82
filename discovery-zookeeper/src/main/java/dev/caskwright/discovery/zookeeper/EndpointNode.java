package dev.caskwright.discovery.zookeeper;

import dev.caskwright.balance.Endpoint;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * An endpoint as a node: its name is the id, with what a path cannot have written as in a URL; its data are lines in UTF-8:
 *
 * <pre>
 * host=10.0.0.1
 * port=6379
 * weight=2
 * zone=a
 * started=1767225600000
 * </pre>
 *
 * Lines with other names are for later versions and are passed over; weight, zone and started may be missing.
 */
final class EndpointNode {
    private static final int MAX_BYTES = 4096;

    private EndpointNode() {}

    static String name(Endpoint endpoint) {
        return name(endpoint.id());
    }

    private static String name(String id) {
        String name = URLEncoder.encode(id, StandardCharsets.UTF_8);
        // In a path a full stop alone, or two, are the place itself, or the one above.
        return name.equals(".") || name.equals("..") ? name.replace(".", "%2E") : name;
    }

    static byte[] data(Endpoint endpoint) {
        String text = "host=" + line(endpoint.host()) + "\nport=" + endpoint.port() + "\nweight=" + endpoint.weight()
                + "\nzone=" + line(endpoint.zone()) + "\nstarted=" + endpoint.startedAtMillis() + "\n";
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String line(String text) {
        if (text.indexOf('\n') >= 0) {
            throw new IllegalArgumentException("a host and a zone are on one line");
        }
        return text;
    }

    /** Reads a node; throws if it is none of an endpoint. */
    static Endpoint read(String name, byte[] data) throws IOException {
        if (data.length > MAX_BYTES) {
            throw new IOException(
                    "not an endpoint: node=" + name + ", bytes=" + data.length + ", allowed=" + MAX_BYTES);
        }
        Map<String, String> values = new HashMap<>();
        for (String line : new String(data, StandardCharsets.UTF_8).split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        try {
            String id = URLDecoder.decode(name, StandardCharsets.UTF_8);
            if (!name(id).equals(name)) {
                // Another way to write an id, perhaps that of another node: two servers of one id would be in the list.
                throw new IOException("not an endpoint, as its id is written otherwise: node=" + name);
            }
            return new Endpoint(
                    id,
                    values.getOrDefault("host", ""),
                    Integer.parseInt(values.getOrDefault("port", "")),
                    Integer.parseInt(values.getOrDefault("weight", "1")),
                    values.getOrDefault("zone", ""),
                    Long.parseLong(values.getOrDefault("started", "0")));
        } catch (IllegalArgumentException e) {
            throw new IOException("not an endpoint: node=" + name, e);
        }
    }
}
