package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.CONNECTION;
import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.NO_AUTH;
import static dev.caskwright.server.command.Flag.NO_MULTI;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import java.util.List;

/** Who the client is, and how it talks. */
final class ConnectionCommands {
    private static final String GROUP = "connection";

    private ConnectionCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("PING", -1, ConnectionCommands::ping)
                .flags(FAST)
                .in(CONNECTION)
                .doc(GROUP, "1.0.0", "Returns the server's liveliness response."));
        commands.add(new Command(
                        "ECHO", 2, call -> call.reply().bulk(call.request().bytes(1)))
                .flags(FAST, LOADING, STALE)
                .in(CONNECTION)
                .doc(GROUP, "1.0.0", "Returns the given string."));
        commands.add(new Command("HELLO", -1, ConnectionCommands::hello)
                .flags(FAST, NOSCRIPT, LOADING, STALE, NO_AUTH, Flag.SKIP_MONITOR, Flag.SKIP_SLOWLOG)
                .in(CONNECTION)
                .doc(GROUP, "6.0.0", "Chooses the version of the protocol; may log in and name the connection."));
        commands.add(new Command("AUTH", -2, ConnectionCommands::auth)
                .flags(FAST, NOSCRIPT, LOADING, STALE, NO_AUTH, Flag.SKIP_MONITOR, Flag.SKIP_SLOWLOG)
                .in(CONNECTION)
                .doc(GROUP, "1.0.0", "Logs the connection in."));
        commands.add(new Command("SELECT", 2, ConnectionCommands::select)
                .flags(FAST, LOADING, STALE)
                .in(CONNECTION)
                .reachesOtherDatabasesIf(request -> KeyCommands.isOtherDatabase(request, 1))
                .doc(GROUP, "1.0.0", "Changes the database."));
        commands.add(new Command("QUIT", -1, ConnectionCommands::quit)
                .flags(FAST, NOSCRIPT, LOADING, STALE, NO_AUTH)
                .in(CONNECTION)
                .doc(GROUP, "1.0.0", "Closes the connection."));
        commands.add(new Command("RESET", 1, ConnectionCommands::reset)
                .flags(FAST, NOSCRIPT, LOADING, STALE, NO_AUTH, NO_MULTI)
                .in(CONNECTION)
                .doc(GROUP, "6.2.0", "Makes the connection as it was when it was new."));
    }

    private static void ping(Call call) {
        if (call.count() > 2) {
            throw new CommandException("ERR wrong number of arguments for 'ping' command");
        }
        if (call.session().isSubscribedInResp2()) {
            call.reply().array(2);
            call.reply().bulk("pong");
            call.reply().bulk(call.count() == 2 ? call.request().bytes(1) : new byte[0]);
        } else if (call.count() == 2) {
            call.reply().bulk(call.request().bytes(1));
        } else {
            call.reply().simple("PONG");
        }
    }

    private static void hello(Call call) {
        Request request = call.request();
        Session session = call.session();
        int protocol = session.protocol();
        int next = 1;
        if (call.count() > 1) {
            if (!request.isInteger(1)) {
                throw new CommandException("ERR Protocol version is not an integer or out of range");
            }
            if (request.integer(1) != 2 && request.integer(1) != 3) {
                throw new CommandException("NOPROTO unsupported protocol version");
            }
            protocol = (int) request.integer(1);
            next = 2;
        }
        String user = null;
        String password = null;
        String name = null;
        while (next < call.count()) {
            int left = call.count() - next - 1;
            if (request.is(next, "AUTH") && left >= 2) {
                user = request.text(next + 1);
                password = request.text(next + 2);
                next += 3;
            } else if (request.is(next, "SETNAME") && left >= 1) {
                name = ClientCommands.checkedName(request, next + 1);
                next += 2;
            } else {
                throw new CommandException("ERR Syntax error in HELLO option '" + request.printable(next) + "'");
            }
        }
        if (user != null && password != null) {
            logIn(call, user, password);
        } else if (!session.isAuthenticated()) {
            throw new CommandException(
                    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto>"
                            + " AUTH <user> <pass> option can be used to authenticate the client and select the RESP"
                            + " protocol version at the same time");
        }
        if (name != null) {
            session.name(name);
        }
        session.protocol(protocol);
        call.reply().protocol(protocol);
        describe(call, session, protocol);
    }

    private static void describe(Call call, Session session, int protocol) {
        Reply reply = call.reply();
        Replication group = call.host().replication();
        reply.map(7);
        reply.bulk("server");
        reply.bulk("redis");
        reply.bulk("version");
        reply.bulk(Info.REDIS_VERSION);
        reply.bulk("proto");
        reply.integer(protocol);
        reply.bulk("id");
        reply.integer(session.id());
        reply.bulk("mode");
        reply.bulk(call.host().topology() == null ? "standalone" : "cluster");
        reply.bulk("role");
        reply.bulk(group == null || group.isLeader() ? "master" : "replica");
        reply.bulk("modules");
        reply.array(0);
    }

    private static void auth(Call call) {
        if (call.count() > 3) {
            throw CommandException.syntax();
        }
        if (call.count() == 2 && call.host().acl().defaultUser().needsNoPassword()) {
            throw new CommandException(
                    "ERR AUTH <password> called without any password configured for the default user."
                            + " Are you sure your configuration is correct?");
        }
        boolean isNamed = call.count() == 3;
        logIn(
                call,
                isNamed ? call.request().text(1) : Acl.DEFAULT,
                call.request().text(isNamed ? 2 : 1));
        call.reply().ok();
    }

    private static void logIn(Call call, String name, String password) {
        Acl acl = call.host().acl();
        User user = acl.find(name);
        // A user that is not there costs as much time as one with a wrong password.
        boolean isRight = (user == null ? new User("") : user).accepts(password);
        if (user == null || !user.isEnabled() || !isRight) {
            acl.refused(
                    "auth", call.isInTransaction(), call.command().fullName(), name, call.session(), call.nowMillis());
            throw new CommandException("WRONGPASS invalid username-password pair or user is disabled.");
        }
        call.session().authenticated(user);
    }

    private static void select(Call call) {
        if (!call.request().isInteger(1)) {
            throw new CommandException("ERR invalid DB index");
        }
        call.session().database(call.database(1));
        call.reply().ok();
    }

    private static void quit(Call call) {
        call.reply().ok();
        call.close();
    }

    private static void reset(Call call) {
        call.session().reset(call.host());
        call.reply().protocol(2);
        call.reply().simple("RESET");
    }

    /** Returns whether a name has printable characters only, and no spaces. */
    static boolean isName(byte[] name) {
        for (byte b : name) {
            if (b < '!' || b > '~') {
                return false;
            }
        }
        return true;
    }
}
