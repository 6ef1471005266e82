package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** One command, or subcommand: what it takes, what it is, and what it does. Counts its calls; those fields are for one thread. */
public final class Command {
    /** What a command does with a key. */
    enum KeyUse {
        READ,
        WRITE,
        READ_WRITE;

        boolean reads() {
            return this != WRITE;
        }

        boolean writes() {
            return this != READ;
        }
    }

    /** Runs a command. */
    @FunctionalInterface
    interface Handler {
        /** Writes one reply, or has the call deferred. */
        void run(Call call) throws IOException;
    }

    private final String name;
    private final String lowerName;
    private final int arity;
    private final Handler handler;
    private final Set<Flag> flags = EnumSet.noneOf(Flag.class);
    private final Set<Category> categories = EnumSet.noneOf(Category.class);
    private final List<Command> subcommands = new ArrayList<>();
    private int firstKey;
    private int lastKey;
    private int keyStep;
    private int keyCountAt;
    private KeyUse firstUse = KeyUse.READ;
    private KeyUse otherUse = KeyUse.READ;
    private Predicate<Request> alsoReads = request -> false;
    private Predicate<Request> reaches = request -> false;
    private String group = "generic";
    private String since = "1.0.0";
    private String summary = "";
    private @Nullable Command parent;
    private int id = -1;
    private boolean isWrite;
    private boolean isUnlogged;

    private long calls;
    private long nanos;
    private long failures;
    private long rejections;

    /**
     * Makes a command.
     *
     * @param name in capitals
     * @param arity how many arguments it has, the name included; if negative, the least number
     */
    Command(String name, int arity, Handler handler) {
        this.name = name;
        lowerName = name.toLowerCase(Locale.ROOT);
        this.arity = arity;
        this.handler = handler;
    }

    Command flags(Flag... more) {
        Collections.addAll(flags, more);
        isWrite = flags.contains(Flag.WRITE);
        isUnlogged = flags.contains(Flag.SKIP_SLOWLOG);
        return this;
    }

    Command in(Category... more) {
        Collections.addAll(categories, more);
        return this;
    }

    Command key(KeyUse use) {
        return keys(1, 1, 1, use);
    }

    Command keys(int first, int last, int step, KeyUse use) {
        firstKey = first;
        lastKey = last;
        keyStep = step;
        firstUse = use;
        otherUse = use;
        return this;
    }

    /** Has an argument say how many keys there are from a place on. */
    Command countedKeys(int countAt, int first, int step, KeyUse use) {
        keys(first, -1, step, use);
        keyCountAt = countAt;
        return flags(Flag.MOVABLEKEYS);
    }

    /** Makes requests of some forms read the keys that others only write. */
    Command readsIf(Predicate<Request> isReading) {
        alsoReads = isReading;
        return this;
    }

    /** Makes requests of some forms reach into other databases than the first, which a node of a cluster has not. */
    Command reachesOtherDatabasesIf(Predicate<Request> isReaching) {
        reaches = isReaching;
        return this;
    }

    Command fromTo(KeyUse from, KeyUse to) {
        keys(1, 2, 1, from);
        otherUse = to;
        return this;
    }

    Command doc(String docGroup, String docSince, String docSummary) {
        group = docGroup;
        since = docSince;
        summary = docSummary;
        return this;
    }

    Command with(Command... all) {
        for (Command subcommand : all) {
            subcommand.parent = this;
            subcommand.group = group;
            subcommand.categories.addAll(categories);
            subcommands.add(subcommand);
        }
        return this;
    }

    void id(int number) {
        id = number;
        if (flags.contains(Flag.WRITE)) {
            categories.add(Category.WRITE);
        }
        if (flags.contains(Flag.READONLY) && firstKey > 0) {
            categories.add(Category.READ);
        }
        if (flags.contains(Flag.ADMIN)) {
            Collections.addAll(categories, Category.ADMIN, Category.DANGEROUS);
        }
        if (flags.contains(Flag.PUBSUB)) {
            categories.add(Category.PUBSUB);
        }
        if (flags.contains(Flag.BLOCKING)) {
            categories.add(Category.BLOCKING);
        }
        categories.add(flags.contains(Flag.FAST) ? Category.FAST : Category.SLOW);
    }

    /** Returns a number that no other command has. */
    int id() {
        return id;
    }

    /** Returns the name in capitals. */
    public String name() {
        return name;
    }

    /** Returns the name as replies have it: in lower case, with {@code |} between command and subcommand. */
    public String fullName() {
        return parent == null ? lowerName : parent.fullName() + "|" + lowerName;
    }

    int arity() {
        return arity;
    }

    boolean takes(int count) {
        return arity >= 0 ? count == arity : count >= -arity;
    }

    Handler handler() {
        return handler;
    }

    boolean has(Flag flag) {
        return flags.contains(flag);
    }

    boolean isWrite() {
        return isWrite;
    }

    boolean isUnlogged() {
        return isUnlogged;
    }

    Set<Flag> flags() {
        return flags;
    }

    Set<Category> categories() {
        return categories;
    }

    List<Command> subcommands() {
        return subcommands;
    }

    @Nullable Command parent() {
        return parent;
    }

    int firstKey() {
        return firstKey;
    }

    /** Returns the place of the last key; if negative, counted from the end. */
    int lastKey() {
        return lastKey;
    }

    /** Returns the place of the last argument of a request that may be a key; less than that of the first if there is none. */
    int lastKey(Request request) {
        if (firstKey == 0) {
            return -1;
        }
        int last = lastKey < 0 ? request.count() + lastKey : lastKey;
        if (keyCountAt > 0) {
            // A count that makes no sense is the command's error, whatever keys are looked at before.
            long count = request.isInteger(keyCountAt) ? request.integer(keyCountAt) : 0;
            last = count <= request.count() ? (int) (firstKey + (count - 1) * keyStep) : last;
        }
        return Math.min(last, request.count() - 1);
    }

    boolean reachesOtherDatabases(Request request) {
        return reaches.test(request);
    }

    int keyStep() {
        return keyStep;
    }

    KeyUse keyUse(boolean isFirst) {
        return isFirst ? firstUse : otherUse;
    }

    KeyUse keyUse(boolean isFirst, Request request) {
        KeyUse use = keyUse(isFirst);
        return use == KeyUse.WRITE && alsoReads.test(request) ? KeyUse.READ_WRITE : use;
    }

    String group() {
        return group;
    }

    String since() {
        return since;
    }

    String summary() {
        return summary;
    }

    void ran(long took, boolean hasFailed) {
        calls++;
        nanos += took;
        if (hasFailed) {
            failures++;
        }
    }

    void rejected() {
        rejections++;
    }

    long calls() {
        return calls;
    }

    long nanos() {
        return nanos;
    }

    long failures() {
        return failures;
    }

    long rejections() {
        return rejections;
    }

    void resetStatistics() {
        calls = 0;
        nanos = 0;
        failures = 0;
        rejections = 0;
    }
}
