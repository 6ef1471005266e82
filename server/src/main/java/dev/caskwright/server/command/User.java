package dev.caskwright.server.command;

import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.resp.Request;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A user: whether it may log in and how, and which commands, keys and channels it may use. Used under the keyspace's lock. */
final class User {
    private static final int HASH_DIGITS = 64;

    private final String name;
    private boolean isEnabled;
    private boolean needsNoPassword;
    private final Set<String> passwords = new LinkedHashSet<>();
    private final List<String> commandRules = new ArrayList<>();
    private final BitSet allowed = new BitSet();
    private final List<KeyRule> keys = new ArrayList<>();
    private final List<Glob> channels = new ArrayList<>();
    private boolean allowsAllKeys;
    private boolean allowsAllChannels;
    private boolean allowsAllCommands;

    private record KeyRule(Glob pattern, boolean reads, boolean writes) {
        String text() {
            String prefix = reads && writes ? "~" : reads ? "%R~" : "%W~";
            return prefix + new String(pattern.bytes(), StandardCharsets.UTF_8);
        }
    }

    User(String name) {
        this.name = name;
        commandRules.add("-@all");
    }

    static User withoutLimits(String name, CommandTable table) {
        User user = new User(name);
        for (String rule : List.of("on", "nopass", "~*", "&*", "+@all")) {
            user.apply(rule, table);
        }
        return user;
    }

    User copy(CommandTable table) {
        User copy = new User(name);
        for (String rule : rules()) {
            copy.apply(rule, table);
        }
        return copy;
    }

    String name() {
        return name;
    }

    boolean isEnabled() {
        return isEnabled;
    }

    boolean needsNoPassword() {
        return needsNoPassword;
    }

    Set<String> passwords() {
        return passwords;
    }

    /**
     * Applies one rule.
     *
     * @throws IllegalArgumentException if it is none; the message says why and does not repeat it
     */
    void apply(String rule, CommandTable table) {
        switch (rule.toLowerCase(Locale.ROOT)) {
            case "on" -> isEnabled = true;
            case "off" -> isEnabled = false;
            case "nopass" -> {
                needsNoPassword = true;
                passwords.clear();
            }
            case "resetpass" -> {
                needsNoPassword = false;
                passwords.clear();
            }
            case "allkeys" -> apply("~*", table);
            case "resetkeys" -> {
                keys.clear();
                allowsAllKeys = false;
            }
            case "allchannels" -> apply("&*", table);
            case "resetchannels" -> {
                channels.clear();
                allowsAllChannels = false;
            }
            case "allcommands" -> apply("+@all", table);
            case "nocommands" -> apply("-@all", table);
            case "sanitize-payload", "skip-sanitize-payload", "clearselectors" -> {
                // Known to Redis, and without a meaning here: no payloads are taken, and there are no selectors.
            }
            case "reset" -> {
                for (String reset : List.of("resetpass", "resetkeys", "resetchannels", "off", "-@all")) {
                    apply(reset, table);
                }
            }
            default -> applyPrefixed(rule, table);
        }
    }

    private void applyPrefixed(String rule, CommandTable table) {
        char first = rule.isEmpty() ? ' ' : rule.charAt(0);
        String rest = rule.isEmpty() ? "" : rule.substring(1);
        switch (first) {
            case '>' -> addHash(hash(rest));
            case '#' -> addHash(checkedHash(rest));
            case '<' -> removeHash(hash(rest));
            case '!' -> removeHash(checkedHash(rest));
            case '~' -> addKeys(rest, true, true);
            case '%' -> {
                int tilde = rest.indexOf('~');
                String kinds = tilde < 0 ? "" : rest.substring(0, tilde).toUpperCase(Locale.ROOT);
                if (kinds.isEmpty() || !kinds.matches("[RW]{1,2}")) {
                    throw new IllegalArgumentException("Syntax error");
                }
                addKeys(rest.substring(tilde + 1), kinds.contains("R"), kinds.contains("W"));
            }
            case '&' -> {
                Glob glob = new Glob(rest.getBytes(StandardCharsets.UTF_8));
                channels.removeIf(old -> Arrays.equals(old.bytes(), glob.bytes()));
                channels.add(glob);
                allowsAllChannels |= rest.equals("*");
            }
            case '+', '-' -> applyCommand(first == '+', rest.toLowerCase(Locale.ROOT), table);
            default -> throw new IllegalArgumentException("Syntax error");
        }
    }

    private void addHash(String hash) {
        needsNoPassword = false;
        passwords.add(hash);
    }

    private void removeHash(String hash) {
        if (!passwords.remove(hash)) {
            throw new IllegalArgumentException("The password you are trying to remove from the user does not exist");
        }
    }

    private static String checkedHash(String hash) {
        if (hash.length() != HASH_DIGITS || !hash.matches("[0-9a-f]+")) {
            throw new IllegalArgumentException(
                    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
        }
        return hash;
    }

    private void addKeys(String pattern, boolean reads, boolean writes) {
        KeyRule rule = new KeyRule(new Glob(pattern.getBytes(StandardCharsets.UTF_8)), reads, writes);
        // A tool may say the same every minute.
        keys.removeIf(old -> old.text().equals(rule.text()));
        keys.add(rule);
        allowsAllKeys |= pattern.equals("*") && reads && writes;
    }

    private void applyCommand(boolean allows, String what, CommandTable table) {
        if (what.startsWith("@")) {
            applyCategory(allows, what.substring(1), table);
        } else {
            Command command = table.find(what);
            if (command == null) {
                throw new IllegalArgumentException("Unknown command or category name in ACL");
            }
            set(command, allows);
            command.subcommands().forEach(subcommand -> set(subcommand, allows));
        }
        String rule = (allows ? "+" : "-") + what;
        if (what.equals("@all")) {
            commandRules.clear();
        } else {
            commandRules.removeIf(old -> old.substring(1).equals(what));
        }
        commandRules.add(rule);
        allowsAllCommands = allowed.cardinality() == table.all().size();
    }

    private void applyCategory(boolean allows, String label, CommandTable table) {
        Category category = Category.find(label);
        if (category == null && !label.equals("all")) {
            throw new IllegalArgumentException("Unknown command or category name in ACL");
        }
        for (Command command : table.all()) {
            if (category == null || command.categories().contains(category)) {
                set(command, allows);
            }
        }
    }

    private void set(Command command, boolean allows) {
        allowed.set(command.id(), allows);
    }

    /** Returns whether a password is right. Takes as long for a wrong one as for another wrong one. */
    boolean accepts(String password) {
        byte[] hash = hash(password).getBytes(StandardCharsets.US_ASCII);
        boolean isRight = false;
        for (String known : passwords) {
            isRight |= MessageDigest.isEqual(hash, known.getBytes(StandardCharsets.US_ASCII));
        }
        return isRight || needsNoPassword;
    }

    static String hash(String password) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(password.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Returns why the user may not run this, or null if it may: "command", "key" or "channel". */
    @Nullable String objection(Command command, Request request) {
        if (!allowsAllCommands && !allowed.get(command.id())) {
            return "command";
        }
        if (!allowsAllKeys && command.firstKey() > 0) {
            int last = command.lastKey(request);
            for (int i = command.firstKey(); i <= last; i += command.keyStep()) {
                if (!allowsKey(request.bytes(i), command.keyUse(i == command.firstKey(), request))) {
                    return "key";
                }
            }
        }
        return null;
    }

    boolean allowsCommand(Command command) {
        return allowed.get(command.id());
    }

    private boolean allowsKey(byte[] key, Command.KeyUse use) {
        boolean reads = !use.reads();
        boolean writes = !use.writes();
        for (KeyRule rule : keys) {
            if (rule.pattern().matches(key, 0)) {
                reads |= rule.reads();
                writes |= rule.writes();
            }
        }
        return reads && writes;
    }

    /** Returns whether the user may use a channel, or a pattern, which must then be one of its own. */
    boolean allowsChannel(byte[] channel, boolean isPattern) {
        if (allowsAllChannels) {
            return true;
        }
        for (Glob glob : channels) {
            if (isPattern ? Arrays.equals(glob.bytes(), channel) : glob.matches(channel, 0)) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether a client of this user may go on to listen to all that it listens to. */
    boolean allowsSubscriptions(Session session) {
        return session.channels().stream().allMatch(channel -> allowsChannel(channel.array(), false))
                && session.patterns().stream().allMatch(pattern -> allowsChannel(pattern.array(), true));
    }

    String commandRules() {
        return String.join(" ", commandRules);
    }

    String keyRules() {
        return String.join(" ", keys.stream().map(KeyRule::text).toList());
    }

    String channelRules() {
        return String.join(
                " ",
                channels.stream()
                        .map(glob -> "&" + new String(glob.bytes(), StandardCharsets.UTF_8))
                        .toList());
    }

    /** Returns rules that make a new user the same as this one. */
    List<String> rules() {
        List<String> rules = new ArrayList<>();
        rules.add(isEnabled ? "on" : "off");
        if (needsNoPassword) {
            rules.add("nopass");
        }
        passwords.forEach(hash -> rules.add("#" + hash));
        keys.forEach(key -> rules.add(key.text()));
        if (channels.isEmpty()) {
            rules.add("resetchannels");
        }
        channels.forEach(glob -> rules.add("&" + new String(glob.bytes(), StandardCharsets.UTF_8)));
        rules.addAll(commandRules);
        return rules;
    }

    /** Returns the line that defines the user in a file. */
    String line() {
        return "user " + name + " " + String.join(" ", rules());
    }
}
