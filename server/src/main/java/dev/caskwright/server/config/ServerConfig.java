package dev.caskwright.server.config;

import dev.caskwright.server.config.Option.Change;
import dev.caskwright.server.resp.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The options of a server, by the names that Redis gives them, with defaults that are safe: loopback, protected mode, limits on
 * every buffer. Options that Redis has and this server has no use for are unknown, and said to be.
 *
 * <p>Safe for any number of threads.
 */
public final class ServerConfig {
    private static final long GIBI = 1L << 30;
    private static final long MEBI = 1L << 20;
    private static final int DEFAULT_PORT = 6379;
    private static final int MAX_PORT = 65_535;
    private static final int MAX_DATABASES = 128;

    private final Map<String, Option> options = new LinkedHashMap<>();
    private final List<String> userLines = new ArrayList<>();
    private @Nullable Path file;
    private final AtomicInteger version = new AtomicInteger();

    // Asked for often.
    private final Option maxArgumentBytes;
    private final Option appendFsync;
    private final Option strictReads;
    private final Option slowerThan;
    private final Option latencyThreshold;

    /** Makes a configuration of defaults. */
    public ServerConfig() {
        network();
        limits();
        security();
        replication();
        appendFsync = add(Option.choice("appendfsync", Change.ANY_TIME, "everysec", "always", "no"));
        strictReads = add(Option.yesNo("strict-reads", Change.ANY_TIME, true));
        add(Option.choice("appendonly", Change.AT_START, "yes"));
        add(Option.choice("save", Change.ANY_TIME, ""));
        add(Option.number("databases", Change.AT_START, 16, 1, MAX_DATABASES));
        add(Option.text("backup-dir", Change.PROTECTED, ""));
        maxArgumentBytes = add(Option.bytes("proto-max-bulk-len", Change.ANY_TIME, 64 * MEBI, MEBI, GIBI));
        slowerThan = add(Option.number("slowlog-log-slower-than", Change.ANY_TIME, 10_000, -1, Long.MAX_VALUE));
        add(Option.number("slowlog-max-len", Change.ANY_TIME, 128, 0, 10_000));
        latencyThreshold = add(Option.number("latency-monitor-threshold", Change.ANY_TIME, 0, 0, Long.MAX_VALUE));
        add(Option.number("acllog-max-len", Change.ANY_TIME, 128, 0, 10_000));
        add(Option.choice("maxmemory", Change.ANY_TIME, "0"));
        add(Option.choice("maxmemory-policy", Change.ANY_TIME, "noeviction"));
        add(Option.number("shutdown-timeout", Change.ANY_TIME, 10, 0, Integer.MAX_VALUE));
    }

    private void network() {
        add(Option.text("bind", Change.AT_START, "127.0.0.1 -::1"));
        add(Option.number("port", Change.AT_START, DEFAULT_PORT, 0, MAX_PORT));
        add(Option.number("tls-port", Change.AT_START, 0, 0, MAX_PORT));
        add(Option.text("tls-cert-file", Change.PROTECTED, ""));
        add(Option.text("tls-key-file", Change.PROTECTED, ""));
        add(Option.text("tls-ca-cert-file", Change.PROTECTED, ""));
        add(Option.choice("tls-auth-clients", Change.PROTECTED, "yes", "no", "optional"));
        add(Option.text("tls-protocols", Change.PROTECTED, "TLSv1.2 TLSv1.3"));
        add(Option.number("tcp-backlog", Change.AT_START, 511, 1, MAX_PORT));
        add(Option.number("tcp-keepalive", Change.AT_START, 300, 0, Integer.MAX_VALUE));
        add(Option.number("timeout", Change.ANY_TIME, 0, 0, Integer.MAX_VALUE));
        add(Option.number("io-threads", Change.AT_START, 1, 1, 128));
        add(Option.yesNo("io-native", Change.AT_START, true));
        add(Option.number("metrics-port", Change.AT_START, 0, 0, MAX_PORT));
        add(Option.text("metrics-bind", Change.AT_START, "127.0.0.1"));
    }

    private void limits() {
        add(Option.number("maxclients", Change.ANY_TIME, 10_000, 1, Integer.MAX_VALUE));
        add(Option.bytes("client-query-buffer-limit", Change.ANY_TIME, 256 * MEBI, MEBI, GIBI));
        add(Option.bytes("maxmemory-clients", Change.ANY_TIME, 0, 0, Long.MAX_VALUE));
        add(Option.bytes("client-output-limit-normal", Change.ANY_TIME, 256 * MEBI, MEBI, 4 * GIBI));
        add(Option.bytes("client-output-limit-pubsub", Change.ANY_TIME, 32 * MEBI, MEBI, 4 * GIBI));
    }

    private void security() {
        add(Option.yesNo("protected-mode", Change.ANY_TIME, true));
        add(Option.text("requirepass", Change.ANY_TIME, ""));
        add(Option.text("aclfile", Change.AT_START, ""));
        add(Option.choice("enable-protected-configs", Change.AT_START, "no", "yes", "local"));
        add(Option.number("auth-timeout", Change.ANY_TIME, 10, 1, Integer.MAX_VALUE));
    }

    /** What servers that are one need to know of each other. Of no meaning in {@code mode single}. */
    private void replication() {
        add(Option.choice("mode", Change.AT_START, "single", "raft", "cache"));
        add(Option.text("raft-id", Change.AT_START, ""));
        add(Option.text("raft-peers", Change.AT_START, ""));
        add(Option.text("raft-group", Change.AT_START, "caskwright"));
        add(Option.number("raft-groups", Change.AT_START, 1, 1, 4));
        add(Option.yesNo("raft-spread-leaders", Change.ANY_TIME, true));
        add(Option.choice("replica-reads", Change.ANY_TIME, "linearizable", "stale", "leader-only"));
        add(Option.yesNo("follower-proxy", Change.ANY_TIME, true));
        add(Option.yesNo("raft-joining", Change.AT_START, false));
        add(Option.number("raft-election-timeout", Change.AT_START, 1_000, 100, 60_000));
        add(Option.number("raft-request-timeout", Change.AT_START, 10_000, 100, 600_000));
        add(Option.bytes("raft-max-command", Change.AT_START, 8 * MEBI, MEBI, 60 * MEBI));
        add(Option.text("raft-index", Change.AT_START, "hashmap"));
        add(Option.text("raft-io", Change.AT_START, "mmap"));
        add(Option.text("raft-tls-cert-file", Change.AT_START, ""));
        add(Option.text("raft-tls-key-file", Change.AT_START, ""));
        add(Option.text("raft-tls-ca-cert-file", Change.AT_START, ""));
        add(Option.text("cache-id", Change.AT_START, ""));
        add(Option.text("cache-peers", Change.AT_START, ""));
        add(Option.text("cache-cluster", Change.AT_START, "caskwright"));
        add(Option.number("cache-owners", Change.AT_START, 2, 2, 16));
        add(Option.number("cache-segments", Change.AT_START, 256, 256, 16_384));
        add(Option.choice("cache-when-split", Change.AT_START, "allow-read-writes", "deny-read-writes"));
        add(Option.bytes("cache-memory", Change.AT_START, 64 * MEBI, MEBI, Long.MAX_VALUE));
        add(Option.yesNo("cache-sync-writes", Change.AT_START, false));
        add(Option.text("cache-tls-cert-file", Change.AT_START, ""));
        add(Option.text("cache-tls-key-file", Change.AT_START, ""));
        add(Option.text("cache-tls-ca-cert-file", Change.AT_START, ""));
        add(Option.number("cache-timeout", Change.AT_START, 10_000, 100, 600_000));
    }

    private Option add(Option option) {
        options.put(option.name(), option);
        return option;
    }

    /** Returns all options. */
    public Collection<Option> options() {
        return options.values();
    }

    /** Returns the option of that name in lower case, or null. */
    public @Nullable Option find(String name) {
        return options.get(name.toLowerCase(Locale.ROOT));
    }

    /** Returns the option of that name, which there must be. */
    public Option option(String name) {
        Option option = find(name);
        if (option == null) {
            throw new IllegalArgumentException("unknown option: " + Printable.of(name));
        }
        return option;
    }

    /** Returns the text of an option. */
    public String text(String name) {
        return option(name).text();
    }

    /** Returns the number of an option. */
    public long number(String name) {
        return option(name).number();
    }

    /**
     * Sets an option whatever is said of when it may change: for a server that has not started.
     *
     * @throws IllegalArgumentException if there is no such option, or it takes no such value
     */
    public ServerConfig set(String name, String value) {
        Option option = option(name);
        try {
            option.set(value);
            version.incrementAndGet();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("option '" + option.name() + "': " + e.getMessage(), e);
        }
        return this;
    }

    /** Returns a number that is another one after each change. */
    public int version() {
        return version.get();
    }

    /** Returns whether an option may be changed while the server runs. */
    public boolean isChangeable(Option option, boolean isLocalClient) {
        if (option.change() == Change.PROTECTED) {
            String enabled = text("enable-protected-configs");
            return enabled.equals("yes") || (enabled.equals("local") && isLocalClient);
        }
        return option.change() == Change.ANY_TIME;
    }

    /** Returns the greatest length of an argument, and of a string, in bytes. */
    public int maxArgumentBytes() {
        return (int) maxArgumentBytes.number();
    }

    /** Returns {@code always}, {@code everysec} or {@code no}. */
    public String appendFsync() {
        return appendFsync.text();
    }

    /** Returns whether no reader is told of what a power loss can take. */
    public boolean isStrictReads() {
        return strictReads.isYes();
    }

    /** Returns from how many microseconds on a command is slow, or -1 if none is. */
    public long slowerThanMicros() {
        return slowerThan.number();
    }

    /** Returns from how many milliseconds on an event is a latency to be noted, or 0 for none. */
    public long latencyThresholdMillis() {
        return latencyThreshold.number();
    }

    /** Returns the lines that define users, as the file has them. */
    public List<String> userLines() {
        return userLines;
    }

    /** Returns the file that the configuration was read from, or null. */
    public @Nullable Path file() {
        return file;
    }

    /**
     * Reads a file: a line for each option, its name and its value; words may be quoted; lines that start with # are comments.
     *
     * @throws IllegalArgumentException if a line makes no sense; the message says which
     */
    public ServerConfig read(Path path) throws IOException {
        int number = 0;
        for (String line : Files.readAllLines(path, StandardCharsets.UTF_8)) {
            number++;
            try {
                readLine(line);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "bad configuration: file=" + path + ", line=" + number + ": " + e.getMessage(), e);
            }
        }
        file = path.toAbsolutePath();
        return this;
    }

    private void readLine(String line) {
        if (line.isBlank() || line.strip().startsWith("#")) {
            return;
        }
        List<String> words = ConfigFile.words(line);
        if (words.get(0).equalsIgnoreCase("user")) {
            userLines.add(line.strip());
            return;
        }
        set(words.get(0), String.join(" ", words.subList(1, words.size())));
    }

    /**
     * Writes the options to the file that they were read from: changes the lines of those that have changed, and adds lines for
     * those that had none. All other lines, and comments, stay. The file is replaced at once.
     *
     * @param users the lines that define users, or null to leave those in the file alone
     * @throws IllegalStateException if there is no file
     */
    public void rewrite(@Nullable List<String> users) throws IOException {
        Path target = file;
        if (target == null) {
            throw new IllegalStateException("the server is running without a config file");
        }
        ConfigFile.replace(
                target, ConfigFile.merged(Files.readAllLines(target, StandardCharsets.UTF_8), options, users));
    }
}
