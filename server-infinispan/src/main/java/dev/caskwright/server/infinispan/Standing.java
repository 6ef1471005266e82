package dev.caskwright.server.infinispan;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a node stood when owners last changed: who was there, and who owned what. So that nodes that start again know whether what they
 * have is the newest, and whom they need to have all of it. Text, a line {@code name=value} each; it is replaced as a whole.
 *
 * @param node the id of the node
 * @param cluster the name of the cluster
 * @param origin a name that the cluster was given when it was made, and that no other has
 * @param segments how many segments there are
 * @param epoch how often all nodes have started together
 * @param topology the number of the change of owners, since the last time
 * @param members the ids of the nodes that were there
 * @param owners who owned which segment, as Infinispan writes it
 */
record Standing(
        String node,
        String cluster,
        String origin,
        int segments,
        long epoch,
        int topology,
        List<String> members,
        Map<String, String> owners) {

    private static final String FORMAT = "1";
    private static final String OWNERS = "owners.";

    Standing {
        members = List.copyOf(members);
    }

    /** Returns whether this is of a later time than the other, of the same cluster. */
    boolean isLaterThan(Standing other) {
        return epoch != other.epoch ? epoch > other.epoch : topology > other.topology;
    }

    /** Returns a name of the moment, one word, which is the same for all nodes that were there. */
    String moment() {
        return epoch + "." + topology;
    }

    /** Returns it as text. */
    String text() {
        StringBuilder text = new StringBuilder();
        line(text, "format", FORMAT);
        line(text, "node", node);
        line(text, "cluster", cluster);
        line(text, "origin", origin);
        line(text, "segments", segments);
        line(text, "epoch", epoch);
        line(text, "topology", topology);
        line(text, "members", String.join(" ", members));
        owners.forEach((name, value) -> line(text, OWNERS + name, value));
        return text.toString();
    }

    private static void line(StringBuilder text, String name, Object value) {
        text.append(name).append('=').append(value).append('\n');
    }

    /**
     * Reads a text.
     *
     * @throws IOException if it is not of this form
     */
    static Standing parse(String text) throws IOException {
        Map<String, String> lines = new LinkedHashMap<>();
        Map<String, String> owners = new LinkedHashMap<>();
        for (String line : text.split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                String name = line.substring(0, equals);
                String value = line.substring(equals + 1);
                if (name.startsWith(OWNERS)) {
                    owners.put(name.substring(OWNERS.length()), value);
                } else {
                    lines.put(name, value);
                }
            }
        }
        if (!FORMAT.equals(lines.get("format"))) {
            throw new IOException("the note of where the node stood has a format that is not known: format="
                    + lines.get("format") + "; start the node with the version that wrote it");
        }
        try {
            List<String> members = new ArrayList<>();
            for (String member : value(lines, "members").split(" ", -1)) {
                members.add(member);
            }
            return new Standing(
                    value(lines, "node"),
                    value(lines, "cluster"),
                    value(lines, "origin"),
                    Integer.parseInt(value(lines, "segments")),
                    Long.parseLong(value(lines, "epoch")),
                    Integer.parseInt(value(lines, "topology")),
                    members,
                    owners);
        } catch (NumberFormatException e) {
            throw new IOException("the note of where the node stood cannot be read: " + e.getMessage(), e);
        }
    }

    private static String value(Map<String, String> lines, String name) throws IOException {
        String value = lines.get(name);
        if (value == null) {
            throw new IOException("the note of where the node stood cannot be read: missing=" + name);
        }
        return value;
    }

    /** Reads the file, or returns null if there is none. */
    static @Nullable Standing read(Path file) throws IOException {
        return Files.exists(file) ? parse(Files.readString(file)) : null;
    }

    /** Writes the file; what was there before stays if that fails. */
    void write(Path file) throws IOException {
        SideFiles.replace(file, text());
    }
}
