package dev.caskwright.server.command;

import dev.caskwright.server.config.ConfigFile;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.resp.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The users of a server, and what was refused to them lately. Used under the keyspace's lock. */
public final class Acl {
    static final String DEFAULT = "default";
    private static final int MAX_USERS = 10_000;

    private final CommandTable table;
    private final ServerConfig config;
    private Map<String, User> users = new TreeMap<>();
    private final Deque<Refusal> log = new ArrayDeque<>();
    private long refusals;

    /** What was refused to whom: {@code reason} is "auth", "command", "key" or "channel". */
    record Refusal(
            long id,
            String reason,
            String context,
            String object,
            String user,
            String client,
            long atMillis,
            int count) {}

    Acl(CommandTable table, ServerConfig config) {
        this.table = table;
        this.config = config;
        users.put(DEFAULT, User.withoutLimits(DEFAULT, table));
        if (!config.text("requirepass").isEmpty()) {
            defaultPassword(config.text("requirepass"));
        }
        for (String line : config.userLines()) {
            define(users, line);
        }
    }

    /** Reads the file of users, if the configuration names one. */
    public void load() throws IOException {
        String name = config.text("aclfile");
        if (name.isEmpty()) {
            return;
        }
        Map<String, User> loaded = new TreeMap<>();
        int number = 0;
        for (String line : Files.readAllLines(Path.of(name), StandardCharsets.UTF_8)) {
            number++;
            if (line.isBlank() || line.strip().startsWith("#")) {
                continue;
            }
            try {
                define(loaded, line);
            } catch (IllegalArgumentException e) {
                throw new IOException("bad ACL file: line=" + number + ": " + e.getMessage(), e);
            }
        }
        loaded.computeIfAbsent(DEFAULT, missing -> User.withoutLimits(DEFAULT, table));
        users = loaded;
    }

    void save() throws IOException {
        ConfigFile.replace(Path.of(config.text("aclfile")), lines());
    }

    List<String> lines() {
        return users.values().stream().map(User::line).toList();
    }

    private void define(Map<String, User> into, String line) {
        String[] words = line.strip().split("\\s+", -1);
        if (words.length < 2 || !words[0].equalsIgnoreCase("user")) {
            throw new IllegalArgumentException("expected: user NAME RULE ...");
        }
        User user = new User(words[1]);
        Arrays.stream(words, 2, words.length).forEach(rule -> user.apply(rule, table));
        into.put(user.name(), user);
    }

    /** Returns the user that new connections have. */
    User defaultUser() {
        User user = users.get(DEFAULT);
        if (user == null) {
            throw new IllegalStateException("the default user is gone");
        }
        return user;
    }

    @Nullable User find(String name) {
        return users.get(name);
    }

    Collection<User> users() {
        return users.values();
    }

    /** Returns whether strangers may do everything: nobody has set a password. */
    public boolean isOpen() {
        return defaultUser().isEnabled() && defaultUser().needsNoPassword();
    }

    /** Returns whether there is nothing to know about users but the password of the default user, which the configuration has. */
    boolean isPlain() {
        if (users.size() > 1 || !config.userLines().isEmpty()) {
            return false;
        }
        User plain = User.withoutLimits(DEFAULT, table);
        setPassword(plain, config.text("requirepass"));
        return defaultUser().line().equals(plain.line());
    }

    /** Gives the default user one password, or none for an empty one. */
    void defaultPassword(String password) {
        setPassword(defaultUser(), password);
    }

    private void setPassword(User user, String password) {
        user.apply("resetpass", table);
        user.apply(password.isEmpty() ? "nopass" : ">" + password, table);
    }

    /** Changes a user, or makes one, by rules; none is applied if one is wrong. Sessions of the user go on with the new ones. */
    void set(String name, List<String> rules, Clients clients) {
        User old = users.get(name);
        if (old == null && users.size() >= MAX_USERS) {
            throw new IllegalArgumentException("too many users: at most " + MAX_USERS);
        }
        User next = old == null ? new User(name) : old.copy(table);
        for (String rule : rules) {
            try {
                next.apply(rule, table);
            } catch (IllegalArgumentException e) {
                boolean isSecret = !rule.isEmpty() && "><#!".indexOf(rule.charAt(0)) >= 0;
                throw new IllegalArgumentException(
                        "Error in ACL SETUSER modifier '" + (isSecret ? rule.charAt(0) + "..." : Printable.of(rule))
                                + "': " + e.getMessage(),
                        e);
            }
        }
        users.put(name, next);
        for (Session session : clients.all()) {
            if (session.user() == old) {
                if (session.isAuthenticated()) {
                    goOnAs(session, next);
                } else {
                    session.unauthenticated(next);
                }
            }
        }
    }

    /** Gives a client other rules; one that listens to what it may not any more is closed. */
    private static void goOnAs(Session session, User user) {
        session.authenticated(user);
        if (!user.allowsSubscriptions(session)) {
            session.link().close(false);
        }
    }

    /** Removes a user and closes its connections. */
    boolean remove(String name, Clients clients) {
        User user = users.remove(name);
        if (user == null) {
            return false;
        }
        for (Session session : clients.all()) {
            if (session.user() == user) {
                session.link().close(false);
            }
        }
        return true;
    }

    /** Takes other users in place of all; connections of users that are gone are closed. */
    void reload(Clients clients) throws IOException {
        load();
        for (Session session : clients.all()) {
            User next = users.get(session.user().name());
            if (next == null) {
                session.link().close(false);
            } else if (session.isAuthenticated()) {
                goOnAs(session, next);
            }
        }
    }

    void refused(String reason, boolean isInTransaction, String object, String name, Session session, long nowMillis) {
        // Not all of a name: strangers choose it.
        String user = Printable.of(name);
        long max = config.number("acllog-max-len");
        if (max == 0) {
            return;
        }
        String context = isInTransaction ? "multi" : "toplevel";
        String client = ClientText.of(session, nowMillis);
        Refusal last = log.peekFirst();
        if (last != null
                && last.reason().equals(reason)
                && last.context().equals(context)
                && last.object().equals(object)
                && last.user().equals(user)) {
            log.pollFirst();
            log.addFirst(new Refusal(last.id(), reason, context, object, user, client, nowMillis, last.count() + 1));
            return;
        }
        log.addFirst(new Refusal(refusals++, reason, context, object, user, client, nowMillis, 1));
        while (log.size() > max) {
            log.pollLast();
        }
    }

    List<Refusal> log() {
        return new ArrayList<>(log);
    }

    void clearLog() {
        log.clear();
    }
}
