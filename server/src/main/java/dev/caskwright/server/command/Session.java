package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Bytes;
import dev.caskwright.server.store.Changes;
import dev.caskwright.server.store.Watch;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the server knows of one client. To be used under the keyspace's lock, but for what says otherwise. */
public final class Session {
    /** Whether replies are sent. */
    enum ReplyMode {
        ON,
        OFF,
        /** Not that to the command at hand, nor that to the next. */
        SKIP_NEXT,
        SKIP_THIS
    }

    /** What a queued command, a watched key and a subscription take beside their bytes, roughly. */
    private static final long QUEUED_BYTES = 320;

    private static final long WATCHED_BYTES = 160;
    private static final long SUBSCRIBED_BYTES = 256;

    /** A pattern is kept in a form that is faster to match with. */
    private static final long BYTES_PER_BYTE_OF_PATTERN = 12;

    /** A command of a transaction. */
    record Queued(Command command, Request request) {}

    private final long id;
    private final Link link;
    private final long connectedMillis;
    private long unknownSinceMillis;
    private volatile long lastActiveMillis;
    private int protocol = 2;
    private int database;
    private String name = "";
    private String libraryName = "";
    private String libraryVersion = "";
    private User user;
    private boolean isAuthenticated;
    private ReplyMode replyMode = ReplyMode.ON;
    private boolean isMonitor;
    private boolean isNoTouch;
    private boolean isNoEvict;
    private boolean isReadOnly;
    private @Nullable Command lastCommand;
    private long commands;

    private @Nullable List<Queued> queue;
    private long queuedBytes;
    private boolean isQueueSpoiled;
    private final List<Watch> watches = new ArrayList<>();
    private long watchedBytes;
    private final List<CommandLog.Watch> watchedInGroup = new ArrayList<>();

    private final Set<Bytes> channels = new LinkedHashSet<>();
    private final Set<Bytes> patterns = new LinkedHashSet<>();

    /** Makes the session of a client that has just connected. */
    public Session(long id, Link link, Host host, long nowMillis) {
        this.id = id;
        this.link = link;
        user = host.acl().defaultUser();
        isAuthenticated = host.acl().isOpen();
        connectedMillis = nowMillis;
        lastActiveMillis = nowMillis;
        unknownSinceMillis = nowMillis;
    }

    /** Returns a number that no other client has or had. */
    public long id() {
        return id;
    }

    Link link() {
        return link;
    }

    long connectedMillis() {
        return connectedMillis;
    }

    /** Returns when the client was last heard of. For any thread. */
    public long lastActiveMillis() {
        return lastActiveMillis;
    }

    /** Notes that the client was heard of. */
    public void active(long nowMillis) {
        lastActiveMillis = nowMillis;
    }

    /** Returns the version of the protocol, 2 or 3. */
    public int protocol() {
        return protocol;
    }

    void protocol(int version) {
        protocol = version;
    }

    int database() {
        return database;
    }

    void database(int number) {
        database = number;
    }

    String name() {
        return name;
    }

    void name(String next) {
        name = next;
    }

    String libraryName() {
        return libraryName;
    }

    void libraryName(String next) {
        libraryName = next;
    }

    String libraryVersion() {
        return libraryVersion;
    }

    void libraryVersion(String next) {
        libraryVersion = next;
    }

    User user() {
        return user;
    }

    void authenticated(User as) {
        user = as;
        isAuthenticated = true;
    }

    void unauthenticated(User as) {
        user = as;
        isAuthenticated = false;
    }

    /** Returns whether the client may use commands. */
    public boolean isAuthenticated() {
        return isAuthenticated;
    }

    ReplyMode replyMode() {
        return replyMode;
    }

    void replyMode(ReplyMode mode) {
        replyMode = mode;
    }

    boolean isMonitor() {
        return isMonitor;
    }

    void monitor(boolean on) {
        isMonitor = on;
    }

    boolean isNoTouch() {
        return isNoTouch;
    }

    void noTouch(boolean on) {
        isNoTouch = on;
    }

    boolean isNoEvict() {
        return isNoEvict;
    }

    void noEvict(boolean on) {
        isNoEvict = on;
    }

    /** Returns whether a node of a cluster serves reads of slots that it is a replica of. */
    boolean isReadOnly() {
        return isReadOnly;
    }

    void readOnly(boolean on) {
        isReadOnly = on;
    }

    void ran(Command command) {
        lastCommand = command;
        commands++;
    }

    @Nullable Command lastCommand() {
        return lastCommand;
    }

    long commands() {
        return commands;
    }

    /** Returns the commands of the transaction at hand, or null if there is none. */
    @Nullable List<Queued> queue() {
        return queue;
    }

    void beginQueue() {
        queue = new ArrayList<>();
        queuedBytes = 0;
        isQueueSpoiled = false;
    }

    /** Queues a command; returns false if there is no memory for it. */
    boolean enqueue(Command command, Request request) {
        long bytes = QUEUED_BYTES + request.totalBytes();
        if (queue == null || !link.hold(bytes)) {
            return false;
        }
        queue.add(new Queued(command, request.copy()));
        queuedBytes += bytes;
        return true;
    }

    /** Returns the bytes that the queued commands take. */
    long queuedBytes() {
        return queuedBytes;
    }

    /** Makes EXEC fail: a command could not be queued. */
    void spoilQueue() {
        isQueueSpoiled |= queue != null;
    }

    boolean isQueueSpoiled() {
        return isQueueSpoiled;
    }

    void endQueue() {
        queue = null;
        link.letGo(queuedBytes);
        queuedBytes = 0;
        isQueueSpoiled = false;
    }

    /** Returns the keys that are watched. */
    List<Watch> watches() {
        return watches;
    }

    /** Watches a key from now on; returns false if there is no memory for it. */
    boolean watch(Bytes key, boolean isThere, Changes changes) {
        long bytes = WATCHED_BYTES + key.array().length;
        if (!link.hold(bytes)) {
            return false;
        }
        watchedBytes += bytes;
        Watch watch = changes.watch(key, this, isThere);
        boolean isNoted = false;
        try {
            watches.add(watch);
            isNoted = true;
        } finally {
            if (!isNoted) { // for want of memory: whoever asks again must not be told that he watches it
                changes.unwatch(watch);
            }
        }
        return true;
    }

    /** Watches keys in the store of a group; returns false if there is no memory for it. */
    boolean watchInGroup(List<CommandLog.Watch> watches) {
        long bytes = 0;
        for (CommandLog.Watch watch : watches) {
            bytes += WATCHED_BYTES + watch.key().length;
        }
        if (!link.hold(bytes)) {
            return false;
        }
        watchedBytes += bytes;
        watchedInGroup.addAll(watches);
        return true;
    }

    /** Returns the keys that are watched in the store of a group. */
    List<CommandLog.Watch> watchedInGroup() {
        return watchedInGroup;
    }

    void unwatchAll(Changes changes) {
        watches.forEach(changes::unwatch);
        watches.clear();
        watchedInGroup.clear();
        link.letGo(watchedBytes);
        watchedBytes = 0;
    }

    /** Takes memory for a subscription; returns false if there is none. */
    boolean holdSubscription(Bytes name) {
        return link.hold(SUBSCRIBED_BYTES + BYTES_PER_BYTE_OF_PATTERN * name.array().length);
    }

    /** Gives back the memory for a subscription. */
    void letGoSubscription(Bytes name) {
        link.letGo(SUBSCRIBED_BYTES + BYTES_PER_BYTE_OF_PATTERN * name.array().length);
    }

    Set<Bytes> channels() {
        return channels;
    }

    Set<Bytes> patterns() {
        return patterns;
    }

    int subscriptions() {
        return channels.size() + patterns.size();
    }

    /** Returns whether the client subscribed in RESP2, where few commands are possible. */
    boolean isSubscribedInResp2() {
        return protocol == 2 && subscriptions() > 0;
    }

    /** Returns whether pushes may become many: such clients have limits of their own. For any thread, roughly. */
    public boolean isSubscriber() {
        return isMonitor || !channels.isEmpty() || !patterns.isEmpty();
    }

    /** Forgets everything that the client had set. */
    void reset(Host host) {
        endQueue();
        unwatchAll(host.keyspace().changes());
        host.pubSub().unsubscribeAll(this);
        isMonitor = false;
        host.monitors().remove(this);
        database = 0;
        protocol = 2;
        name = "";
        replyMode = ReplyMode.ON;
        isNoTouch = false;
        isNoEvict = false;
        isReadOnly = false;
        unknownSinceMillis = host.keyspace().nowMillis();
        if (host.acl().isOpen()) {
            authenticated(host.acl().defaultUser());
        } else {
            unauthenticated(host.acl().defaultUser());
        }
    }

    /** Closes the connection if it was idle for too long, or unknown; 0 is never. */
    public void closeIfLate(long nowMillis, long idleMillis, long authenticationMillis) {
        boolean isIdle = idleMillis > 0 && nowMillis - lastActiveMillis >= idleMillis && !isSubscriber();
        boolean isUnknown = !isAuthenticated && nowMillis - unknownSinceMillis >= authenticationMillis;
        if (isIdle || isUnknown) {
            link.close(false);
        }
    }

    /** Lets go of what others hold of the client, which is gone. Under the lock. */
    public void closed(Host host) {
        endQueue();
        unwatchAll(host.keyspace().changes());
        host.pubSub().unsubscribeAll(this);
        host.monitors().remove(this);
        host.clients().remove(this);
    }
}
