package dev.caskwright.server.command;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.server.cluster.Topology;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.ReplyTooLongException;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.RefusedException;
import dev.caskwright.server.store.UnforcedReadException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what becomes of a request: whether there is such a command, whether the client may run it now, and whether it runs or is
 * queued. Whatever a command throws becomes an error reply. Used under the keyspace's lock.
 */
public final class Dispatcher {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
    private static final int MAX_QUEUED = 1 << 20;
    private static final int SHOWN_ARGUMENTS = 3;
    private static final long NANOS_PER_MICRO = 1_000;
    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final long MILLIS_PER_SECOND = 1_000;

    private Dispatcher() {}

    /** Returns a call for the requests of a session, to be used again and again. */
    public static Call callOf(Host host, Session session, Reply reply) {
        return new Call(host, session, host.commands().commands().get(0), new Request(), reply);
    }

    /** Returns for how many milliseconds a request is to wait before it is run, or 0. */
    public static long pauseMillis(Call call, Request request) {
        Host host = call.host();
        if (!host.clients().isPaused()) {
            return 0;
        }
        Command command = host.commands().find(request);
        boolean isWrite =
                command != null && (command.isWrite() || command.name().equals("EXEC"));
        boolean isFree = command != null && command.fullName().startsWith("client");
        return isFree ? 0 : host.clients().pauseMillis(isWrite);
    }

    /** Runs or queues a request, and writes its reply, unless it is deferred. */
    public static void run(Call call, Request request, Reply reply) {
        Session session = call.session();
        boolean isSkipped = session.replyMode() == Session.ReplyMode.SKIP_NEXT;
        if (isSkipped) {
            session.replyMode(Session.ReplyMode.ON);
        }
        call.silent(isSkipped || session.replyMode() == Session.ReplyMode.OFF);
        long mark = reply.written();
        Command command = call.host().commands().find(request);
        if (command == null && (request.is(0, "POST") || request.is(0, "HOST:"))) {
            // A web browser that was made to send its request here: what follows may be commands of somebody else.
            LOG.warn(
                    "closed a connection that speaks HTTP: client={}",
                    session.link().remoteAddress());
            call.close();
        }
        String problem = command == null ? unknown(request) : problem(call, command, request);
        if (command == null || problem != null) {
            session.spoilQueue();
            fail(call, reply, String.valueOf(problem));
            if (command != null) {
                command.rejected();
            }
        } else {
            call.next(command, request, reply);
            call.use(call.host().keyspace(command, request));
            session.ran(command);
            if (session.queue() != null && !runsAtOnce(command)) {
                if (session.enqueue(command, request)) {
                    reply.simple("QUEUED");
                } else {
                    session.spoilQueue();
                    fail(call, reply, "ERR " + CommandException.NO_MEMORY);
                }
            } else {
                execute(call);
            }
        }
        if (isSkipped
                || session.replyMode() == Session.ReplyMode.OFF
                || session.replyMode() == Session.ReplyMode.SKIP_NEXT) {
            reply.truncate(mark);
        }
    }

    /** Where a request is executed if the server is a member of a group. */
    public enum Route {
        /** By this member alone: it does not touch the databases. */
        HERE,
        /** By this member, once it is up to date. */
        LOOK,
        /** By all members, once it is in the log. */
        LOG
    }

    /** Returns where a request is executed if the server is a member of a group. */
    public static Route route(Call call, Request request) {
        Command command = call.host().commands().find(request);
        boolean isQueuing = call.session().queue() != null;
        if (command == null || (isQueuing && !runsAtOnce(command)) || misdirection(call, command, request) != null) {
            return Route.HERE; // its reply is ready, or that of the queue
        }
        if (isParted(call) && command.firstKey() == 0 && command.isWrite()) {
            return Route.HERE; // it asks the group itself
        }
        if (command.isWrite()
                || (isParted(call) && command.firstKey() > 0 && command.has(Flag.READONLY))
                || (isQueuing && command.name().equals("EXEC"))
                || (!isQueuing && command.name().equals("WATCH"))) {
            return Route.LOG;
        }
        return command.has(Flag.READONLY) ? Route.LOOK : Route.HERE;
    }

    /** Returns the group that a request is for, or what stands for all of them if it names no keys. */
    public static Shard shard(Call call, Request request) {
        Host host = call.host();
        if (!host.isSharded()) {
            return host.shard(SlotJudge.NO_SLOT);
        }
        Command command = host.commands().find(request);
        Session session = call.session();
        List<Session.Queued> queue = session.queue();
        if (command == null) {
            return host.shard(SlotJudge.NO_SLOT);
        }
        if (queue == null || !command.name().equals("EXEC")) {
            return host.shard(SlotJudge.slotOf(command, request));
        }
        int slot = SlotJudge.slotOf(queue);
        boolean isOnlyWatching =
                slot == SlotJudge.NO_SLOT && !session.watchedInGroup().isEmpty();
        return host.shard(isOnlyWatching ? SlotJudge.watchedSlot(session) : slot);
    }

    /** Returns whether a request that needs no log may be executed while those before it wait for theirs: nobody sees a difference. */
    public static boolean mayRunBeside(Call call, Request request) {
        Command command = call.host().commands().find(request);
        if (command == null || (call.session().queue() != null && !runsAtOnce(command))) {
            return true;
        }
        return switch (command.name()) {
            case "MULTI", "PING", "ECHO", "SELECT" -> true;
            default -> false;
        };
    }

    /** Returns whether a request that looks at a few keys is logged behind changes, instead of waiting for them. */
    public static boolean mayBeLogged(Call call, Request request) {
        Command command = call.host().commands().find(request);
        return command != null && command.firstKey() > 0 && command.has(Flag.FAST);
    }

    /** Returns whether the reply to a request is made of keys that it names, so that it must be of one moment and can be made again. */
    public static boolean looksAtKeys(Call call, Request request) {
        Command command = call.host().commands().find(request);
        return command != null && command.firstKey() > 0 && call.session().replyMode() == Session.ReplyMode.ON;
    }

    /** Adds a request to a proposal; or the error that is its reply, if the client may not make it. */
    public static void propose(Call call, Request request, Reply reply, Proposal proposal) {
        Session session = call.session();
        boolean isSilent = session.replyMode() != Session.ReplyMode.ON;
        if (session.replyMode() == Session.ReplyMode.SKIP_NEXT) {
            session.replyMode(Session.ReplyMode.ON);
        }
        Command command = call.host().commands().find(request);
        String problem = command == null ? unknown(request) : problem(call, command, request);
        if (command == null || problem != null) {
            session.spoilQueue();
            proposal.addFailure(String.valueOf(problem), isSilent);
            if (command != null) {
                command.rejected();
            }
            return;
        }
        call.next(command, request, reply);
        call.use(call.host().keyspace(command, request));
        if (command.name().equals("WATCH")) {
            try {
                for (int i = 1; i < request.count(); i++) {
                    call.key(i); // too long a key is this command's error, and no other's of the proposal
                }
            } catch (CommandException e) {
                proposal.addFailure(String.valueOf(e.getMessage()), isSilent);
                command.rejected();
                return;
            }
        }
        session.ran(command);
        command.ran(0, false);
        call.host().statistics().ranCommand();
        if (!call.host().monitors().isEmpty()) {
            show(call);
        }
        if (command.name().equals("EXEC")) {
            proposeTransaction(call, proposal, isSilent);
        } else if (command.name().equals("WATCH")) {
            proposal.addWatch(session.database(), request, isSilent);
        } else {
            proposal.addCommand(session.database(), request, isSilent, firstKey(command, request));
        }
    }

    private static void proposeTransaction(Call call, Proposal proposal, boolean isSilent) {
        Session session = call.session();
        List<Session.Queued> queue = List.copyOf(session.queue() == null ? List.of() : session.queue());
        List<CommandLog.Watch> watches = List.copyOf(session.watchedInGroup());
        boolean isSpoiled = session.isQueueSpoiled();
        session.endQueue();
        session.unwatchAll(call.keyspace().changes());
        String refused = null;
        for (Session.Queued queued : queue) {
            refused = refused == null ? refused(call, queued.command(), queued.request()) : refused;
        }
        if (isSpoiled || refused != null) {
            proposal.addFailure(
                    "EXECABORT Transaction discarded because of previous errors."
                            + (refused == null ? "" : " (" + refused + ")"),
                    isSilent);
            return;
        }
        proposal.addTransaction(session.database(), watches, queue, isSilent);
    }

    /** Returns the reply that leads a client to the leader. */
    public static String moved(Call call, Request request, @Nullable String leader) {
        Command command = call.host().commands().find(request);
        return GroupErrors.moved(leader, command == null ? null : firstKey(command, request));
    }

    static byte @Nullable [] firstKey(Command command, Request request) {
        int first = command.firstKey();
        return first > 0 && first < request.count() ? request.bytes(first) : null;
    }

    /** Selects the database that a transaction has selected, which was executed as another client. */
    static void selectLike(Call call, Session.Queued queued) {
        Request request = queued.request();
        if (queued.command().name().equals("SELECT")
                && request.isInteger(1)
                && request.integer(1) >= 0
                && request.integer(1) < call.keyspace().databases()) {
            call.session().database((int) request.integer(1));
        }
    }

    /** Has a call ready for a logged command. */
    static void prepare(Call call, Request request, Reply reply) throws IOException {
        Command command = call.host().commands().find(request);
        if (command == null || !command.takes(request.count())) {
            throw new IOException("a logged command is not known: " + request.printable(0)
                    + "; this member needs the version that logged it");
        }
        call.next(command, request, reply);
        call.inTransaction(true);
    }

    /** Executes a logged command. */
    static void replay(Call call, Request request, Reply reply) throws IOException {
        prepare(call, request, reply);
        execute(call);
    }

    /** Executes a logged transaction. */
    static void replayTransaction(Call call, List<Request> requests, Reply reply) throws IOException {
        List<Session.Queued> queue = new ArrayList<>(requests.size());
        for (Request request : requests) {
            prepare(call, request, reply);
            queue.add(new Session.Queued(call.command(), request));
        }
        call.next(call.command(), Request.of(), reply);
        TransactionCommands.run(call, queue);
    }

    private static String unknown(Request request) {
        // Redisson takes "ERR unknown command" for the lack of a newer form, and sends EVALSHA again without end.
        boolean isScript = request.is(0, "EVALSHA") || request.is(0, "EVAL");
        StringBuilder text = new StringBuilder(isScript ? "ERR there are no scripts here: " : "ERR ")
                .append("unknown command '")
                .append(request.printable(0))
                .append("'");
        text.append(", with args beginning with: ");
        for (int i = 1; i < request.count() && i <= SHOWN_ARGUMENTS; i++) {
            text.append('\'').append(request.printable(i)).append("' ");
        }
        return text.toString();
    }

    /** Returns why the client may not run the command now, or null if it may. */
    private static @Nullable String problem(Call call, Command command, Request request) {
        Session session = call.session();
        if (!session.isAuthenticated() && !command.has(Flag.NO_AUTH)) {
            return "NOAUTH Authentication required.";
        }
        if (!command.takes(request.count())) {
            return "ERR wrong number of arguments for '" + command.fullName() + "' command";
        }
        if (!command.has(Flag.NO_AUTH)) {
            String refused = refused(call, command, request);
            if (refused != null) {
                return refused;
            }
        }
        String objection = misdirection(call, command, request);
        if (objection != null) {
            if (command.name().equals("EXEC")) {
                session.endQueue();
                session.unwatchAll(call.keyspace().changes());
            }
            return objection;
        }
        if (session.isSubscribedInResp2() && !isForSubscribers(command)) {
            return "ERR Can't execute '" + command.fullName()
                    + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
        }
        List<Session.Queued> queue = session.queue();
        if (queue != null && !runsAtOnce(command)) {
            if (command.has(Flag.NO_MULTI)
                    || (call.host().replication() != null && !isForTransactionsOfGroups(call, command))) {
                return "ERR Command not allowed inside a transaction";
            }
            if (queue.size() >= MAX_QUEUED
                    || session.queuedBytes() + request.totalBytes()
                            > call.host().config().number("client-query-buffer-limit")) {
                return "ERR the transaction is longer than client-query-buffer-limit or " + MAX_QUEUED + " commands";
            }
        }
        return null;
    }

    /** Returns the reply that a node of a cluster gives to a request that it may not execute, or null if it may. */
    private static @Nullable String misdirection(Call call, Command command, Request request) {
        Topology topology = call.host().topology();
        if (topology == null) {
            return null;
        }
        String objection = SlotJudge.objection(topology.view(), call.session(), command, request);
        return objection == null && call.host().isSharded()
                ? SlotJudge.objectionToWatches(call.session(), command, request)
                : objection;
    }

    private static @Nullable String refused(Call call, Command command, Request request) {
        User user = call.session().user();
        String objection = user.objection(command, request);
        if (objection == null) {
            return null;
        }
        call.host()
                .acl()
                .refused(
                        objection,
                        call.session().queue() != null,
                        objection.equals("command")
                                ? command.fullName()
                                : request.printable(Math.max(1, command.firstKey())),
                        user.name(),
                        call.session(),
                        call.nowMillis());
        return "NOPERM " + refusal(objection, user, command);
    }

    static String refusal(String objection, User user, Command command) {
        return objection.equals("command")
                ? "User " + user.name() + " has no permissions to run the '" + command.fullName() + "' command"
                : "No permissions to access a key";
    }

    private static boolean isForSubscribers(Command command) {
        return switch (command.name()) {
            case "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "PING", "QUIT", "RESET" -> true;
            default -> false;
        };
    }

    /** Returns whether each member of a group has a part of the keys. */
    private static boolean isParted(Call call) {
        return call.host().replication() != null
                && call.host().topology() != null
                && !call.host().isSharded();
    }

    /** Returns whether a command in a transaction means the same on all members that execute it, and names what it looks at if these
     * have parts of the keys. */
    private static boolean isForTransactionsOfGroups(Call call, Command command) {
        boolean isForKeys =
                command.firstKey() > 0 || !(isParted(call) || call.host().isSharded());
        return (isForKeys && command.isWrite())
                || (isForKeys && command.has(Flag.READONLY) && !command.name().equals("SCAN"))
                || switch (command.name()) {
                    case "PING", "ECHO", "SELECT", "UNWATCH" -> true;
                    default -> false;
                };
    }

    private static boolean runsAtOnce(Command command) {
        return switch (command.name()) {
            case "EXEC", "DISCARD", "MULTI", "WATCH", "QUIT", "RESET" -> true;
            default -> false;
        };
    }

    /** Runs the commands of a transaction, each with its reply. */
    static void runQueued(Call call, List<Session.Queued> queue) {
        Command exec = call.command();
        Request request = call.request();
        Reply reply = call.reply();
        call.inTransaction(true);
        try {
            for (Session.Queued queued : queue) {
                String refused = refused(call, queued.command(), queued.request());
                if (refused != null) {
                    fail(call, reply, refused);
                    continue;
                }
                call.next(queued.command(), queued.request(), reply);
                execute(call);
            }
        } finally {
            call.inTransaction(false);
            call.next(exec, request, reply);
        }
    }

    private static void execute(Call call) {
        Command command = call.command();
        if (!call.host().monitors().isEmpty() && !command.has(Flag.SKIP_MONITOR) && !command.has(Flag.ADMIN)) {
            show(call);
        }
        Request request = call.request();
        long start = System.nanoTime();
        long mark = call.reply().written();
        String failure = failureOf(call, () -> command.handler().run(call));
        if (failure != null) {
            call.reply().truncate(mark);
            fail(call, call.reply(), failure);
        }
        long nanos = System.nanoTime() - start;
        command.ran(nanos, failure != null);
        call.host().statistics().ranCommand();
        note(call, command, request, nanos);
    }

    private static void note(Call call, Command command, Request request, long nanos) {
        Host host = call.host();
        long slower = host.config().slowerThanMicros();
        if (slower >= 0 && nanos >= slower * NANOS_PER_MICRO && !command.isUnlogged()) {
            host.slowLog()
                    .add(
                            request,
                            call.session(),
                            call.nowMillis(),
                            nanos / NANOS_PER_MICRO,
                            host.config().number("slowlog-max-len"));
        }
        long threshold = host.config().latencyThresholdMillis();
        if (threshold > 0 && nanos >= threshold * NANOS_PER_MILLI) {
            host.latency()
                    .add(
                            command.has(Flag.FAST) ? "fast-command" : "command",
                            call.nowMillis(),
                            nanos / NANOS_PER_MILLI);
        }
    }

    /** Runs, without the lock, what a command deferred. Returns the error that is its reply, or null if it wrote one. */
    public static @Nullable String runDeferred(Call call, Call.Deferred deferred, Reply reply) {
        return failureOf(call, () -> deferred.run(reply));
    }

    /** Writes an error reply and counts it. */
    public static void fail(Call call, Reply reply, String message) {
        reply.error(message);
        call.host().statistics().failed(message);
    }

    /** Something that may fail in all ways. */
    private interface Failing {
        void run() throws IOException;
    }

    private static @Nullable String failureOf(Call call, Failing failing) {
        try {
            failing.run();
            return null;
        } catch (CommandException e) {
            return String.valueOf(e.getMessage());
        } catch (ReplyTooLongException e) {
            return "ERR " + e.getMessage() + "; what the command changes was changed";
        } catch (RefusedException e) {
            return "ERR " + e.getMessage();
        } catch (UnforcedReadException e) {
            return "IOERR " + e.getMessage();
        } catch (EngineException e) {
            call.problem(e);
            LOG.warn("the store refused a command: command={}", call.command().fullName(), e);
            return describe(e);
        } catch (IOException e) {
            call.problem(e);
            LOG.warn("a command failed: command={}", call.command().fullName(), e);
            return "IOERR the system refused what the command needs; nothing was changed";
        } catch (UnsupportedOperationException e) {
            LOG.debug("the store does not hold what a command needs", e);
            return "ERR this store does not hold what the command needs";
        } catch (OutOfMemoryError e) {
            call.problem(e);
            LOG.error("out of memory: command={}", call.command().fullName(), e);
            call.close();
            return "OOM the server is out of memory; whether a change was made is unknown";
        } catch (RuntimeException | StackOverflowError e) {
            if (e instanceof StackOverflowError) {
                call.problem(e); // other members may have more room
            }
            LOG.error(
                    "a command failed in a way that nobody foresaw: command={}",
                    call.command().fullName(),
                    e);
            return "ERR internal error; whether a change was made is unknown";
        }
    }

    /** Returns the reply that tells of an error of the store. */
    public static String describe(EngineException e) {
        String what = switch (e.code()) {
            case OUT_OF_SPACE -> "the disk is full";
            case OUT_OF_MEMORY -> "the key index is full";
            case FAILED -> "the store refuses changes since a write or force failed; reopen it";
            case READ_ONLY -> "the store is open for reading only";
            case CORRUPT -> "the stored bytes are damaged";
            case CLOSED -> "the store is closed";
            case TOO_MANY_SNAPSHOTS -> "too many scans and backups are under way";
            default -> "the store refused (" + e.code() + ")";
        };
        String outcome = e.outcome() == Outcome.UNKNOWN
                ? "; whether the change was made is unknown"
                : e.outcome() == Outcome.APPLIED ? "; the change was made" : "; nothing was changed";
        return "IOERR " + what + outcome;
    }

    private static void show(Call call) {
        Session session = call.session();
        long millis = call.nowMillis();
        StringBuilder line = new StringBuilder()
                .append(millis / MILLIS_PER_SECOND)
                .append('.')
                .append(String.format(Locale.ROOT, "%03d000", millis % MILLIS_PER_SECOND))
                .append(" [")
                .append(session.database())
                .append(' ')
                .append(session.link().remoteAddress())
                .append(']');
        for (int i = 0; i < call.count(); i++) {
            line.append(" \"")
                    .append(call.request().printable(i).replace("\"", "\\\""))
                    .append('"');
        }
        byte[] shown = Push.line(line.toString());
        for (Session monitor : call.host().monitors()) {
            monitor.link().push(shown);
        }
        call.pushed(call.host().monitors().size());
    }
}
