package dev.caskwright.server.command;

import static dev.caskwright.server.command.Category.CONNECTION;
import static dev.caskwright.server.command.Flag.ADMIN;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** CLIENT: what clients tell of themselves, and what may be done to them. */
final class ClientCommands {
    private static final String GROUP = "connection";
    private static final int MAX_NAME_BYTES = 1024;

    private ClientCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("CLIENT", -2, Subcommands::unknown)
                .in(CONNECTION)
                .doc(GROUP, "2.4.0", "A container for client connection commands.")
                .with(
                        sub(
                                "ID",
                                2,
                                call -> call.reply().integer(call.session().id()),
                                "5.0.0",
                                "Returns the client's number."),
                        sub("GETNAME", 2, ClientCommands::name, "2.6.9", "Returns the name of the connection."),
                        sub("SETNAME", 3, ClientCommands::setName, "2.6.9", "Names the connection."),
                        sub(
                                "SETINFO",
                                4,
                                ClientCommands::setInfo,
                                "7.2.0",
                                "Tells the client's library and its version."),
                        sub("INFO", 2, ClientCommands::info, "6.2.0", "Returns a line about the connection."),
                        sub("LIST", -2, ClientCommands::list, "2.4.0", "Lists open connections.")
                                .flags(ADMIN),
                        sub("KILL", -3, ClientCommands::kill, "2.4.0", "Closes open connections.")
                                .flags(ADMIN),
                        sub("PAUSE", -3, ClientCommands::pause, "3.0.0", "Makes commands of all clients wait.")
                                .flags(ADMIN),
                        sub("UNPAUSE", 2, ClientCommands::unpause, "6.2.0", "Ends a pause.")
                                .flags(ADMIN),
                        sub("REPLY", 3, ClientCommands::reply, "3.2.0", "Chooses whether replies are sent."),
                        sub("NO-EVICT", 3, ClientCommands::noEvict, "7.0.0", "Is accepted and changes nothing.")
                                .flags(ADMIN),
                        sub("NO-TOUCH", 3, ClientCommands::noTouch, "7.2.0", "Is accepted and changes nothing."),
                        sub("TRACKING", -3, ClientCommands::tracking, "6.0.0", "Only OFF is accepted."),
                        sub("TRACKINGINFO", 2, ClientCommands::trackingInfo, "6.2.0", "Tells that nothing is tracked."),
                        sub(
                                "GETREDIR",
                                2,
                                call -> call.reply().integer(-1),
                                "6.0.0",
                                "Tells that nothing is tracked.")));
    }

    private static Command sub(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler).flags(NOSCRIPT, LOADING, STALE).doc(GROUP, since, summary);
    }

    static String checkedName(Request request, int i) {
        if (request.length(i) > MAX_NAME_BYTES) {
            throw new CommandException("ERR Client names are at most " + MAX_NAME_BYTES + " bytes long");
        }
        if (!ConnectionCommands.isName(request.bytes(i))) {
            throw new CommandException("ERR Client names cannot contain spaces, newlines or special characters.");
        }
        return request.text(i);
    }

    private static void name(Call call) {
        if (call.session().name().isEmpty()) {
            call.reply().nil();
        } else {
            call.reply().bulk(call.session().name());
        }
    }

    private static void setName(Call call) {
        call.session().name(checkedName(call.request(), 2));
        call.reply().ok();
    }

    private static void setInfo(Call call) {
        Request request = call.request();
        boolean isName = request.is(2, "LIB-NAME");
        if (!isName && !request.is(2, "LIB-VER")) {
            throw new CommandException("ERR Unrecognized option '" + request.printable(2) + "'");
        }
        if (request.length(3) > MAX_NAME_BYTES || !ConnectionCommands.isName(request.bytes(3))) {
            throw new CommandException("ERR " + (isName ? "lib-name" : "lib-ver")
                    + " cannot contain spaces, newlines or special characters.");
        }
        if (isName) {
            call.session().libraryName(request.text(3));
        } else {
            call.session().libraryVersion(request.text(3));
        }
        call.reply().ok();
    }

    private static void info(Call call) {
        call.reply().verbatim(ClientText.of(call.session(), call.nowMillis()) + "\n");
    }

    private static void list(Call call) {
        Request request = call.request();
        Predicate<Session> chosen = session -> true;
        if (call.count() > 2) {
            if (request.is(2, "TYPE") && call.count() == 4) {
                chosen = ofType(request, 3);
            } else if (request.is(2, "ID") && call.count() > 3) {
                Set<Long> ids = new HashSet<>();
                for (int i = 3; i < call.count(); i++) {
                    ids.add(call.integer(i, 1, Long.MAX_VALUE, "ERR Invalid client ID"));
                }
                chosen = session -> ids.contains(session.id());
            } else {
                throw CommandException.syntax();
            }
        }
        StringBuilder lines = new StringBuilder();
        for (Session session : call.host().clients().all()) {
            if (chosen.test(session)) {
                lines.append(ClientText.of(session, call.nowMillis())).append('\n');
            }
        }
        call.reply().verbatim(lines.toString());
    }

    private static Predicate<Session> ofType(Request request, int i) {
        if (request.is(i, "NORMAL")) {
            return session -> session.subscriptions() == 0;
        }
        if (request.is(i, "PUBSUB")) {
            return session -> session.subscriptions() > 0;
        }
        if (request.is(i, "MASTER") || request.is(i, "REPLICA") || request.is(i, "SLAVE")) {
            return session -> false;
        }
        throw new CommandException("ERR Unknown client type '" + request.printable(i) + "'");
    }

    private static void kill(Call call) {
        Request request = call.request();
        if (call.count() == 3) {
            String address = request.text(2);
            for (Session session : call.host().clients().all()) {
                if (session.link().remoteAddress().equals(address)) {
                    end(call, session);
                    call.reply().ok();
                    return;
                }
            }
            throw new CommandException("ERR No such client");
        }
        List<Predicate<Session>> filters = new ArrayList<>();
        boolean skipsMe = true;
        if (call.count() % 2 != 0) {
            throw CommandException.syntax();
        }
        for (int i = 2; i < call.count(); i += 2) {
            if (request.is(i, "SKIPME") && (request.is(i + 1, "YES") || request.is(i + 1, "NO"))) {
                skipsMe = request.is(i + 1, "YES");
            } else {
                filters.add(filter(call, i));
            }
        }
        int killed = 0;
        for (Session session : call.host().clients().all()) {
            if (filters.stream().allMatch(filter -> filter.test(session)) && !(skipsMe && session == call.session())) {
                end(call, session);
                killed++;
            }
        }
        call.reply().integer(killed);
    }

    private static Predicate<Session> filter(Call call, int i) {
        Request request = call.request();
        String value = request.text(i + 1);
        if (request.is(i, "ID")) {
            long id = call.integer(i + 1, 1, Long.MAX_VALUE, "ERR client-id should be greater than 0");
            return session -> session.id() == id;
        }
        if (request.is(i, "ADDR")) {
            return session -> session.link().remoteAddress().equals(value);
        }
        if (request.is(i, "LADDR")) {
            return session -> session.link().localAddress().equals(value);
        }
        if (request.is(i, "USER")) {
            if (call.host().acl().find(value) == null) {
                throw new CommandException("ERR No such user '" + request.printable(i + 1) + "'");
            }
            return session -> session.user().name().equals(value);
        }
        if (request.is(i, "TYPE")) {
            return ofType(request, i + 1);
        }
        if (request.is(i, "MAXAGE")) {
            long seconds = call.integer(i + 1, 1, Integer.MAX_VALUE, "ERR maxage is not an integer or out of range");
            return session -> call.nowMillis() - session.connectedMillis() >= seconds * 1000;
        }
        throw CommandException.syntax();
    }

    private static void end(Call call, Session session) {
        if (session == call.session()) {
            call.close();
        } else {
            session.link().close(false);
        }
    }

    private static void pause(Call call) {
        long millis = call.integer(2, 0, Integer.MAX_VALUE, "ERR timeout is negative or out of range");
        boolean onlyWrites = false;
        if (call.count() == 4) {
            onlyWrites = call.request().is(3, "WRITE");
            if (!onlyWrites && !call.request().is(3, "ALL")) {
                throw new CommandException("ERR CLIENT PAUSE mode must be WRITE or ALL");
            }
        } else if (call.count() > 4) {
            throw CommandException.syntax();
        }
        call.host().clients().pause(millis, onlyWrites);
        call.reply().ok();
    }

    private static void unpause(Call call) {
        call.host().clients().unpause();
        call.reply().ok();
    }

    private static void reply(Call call) {
        Request request = call.request();
        if (request.is(2, "ON")) {
            call.session().replyMode(Session.ReplyMode.ON);
            call.reply().ok();
        } else if (request.is(2, "OFF")) {
            call.session().replyMode(Session.ReplyMode.OFF);
        } else if (request.is(2, "SKIP")) {
            if (call.session().replyMode() != Session.ReplyMode.OFF) {
                call.session().replyMode(Session.ReplyMode.SKIP_NEXT);
            }
        } else {
            throw CommandException.syntax();
        }
    }

    private static boolean onOrOff(Request request, int i) {
        if (!request.is(i, "ON") && !request.is(i, "OFF")) {
            throw CommandException.syntax();
        }
        return request.is(i, "ON");
    }

    private static void noEvict(Call call) {
        call.session().noEvict(onOrOff(call.request(), 2));
        call.reply().ok();
    }

    private static void noTouch(Call call) {
        call.session().noTouch(onOrOff(call.request(), 2));
        call.reply().ok();
    }

    private static void tracking(Call call) {
        if (onOrOff(call.request(), 2)) {
            throw new CommandException("ERR client-side caching is not supported");
        }
        call.reply().ok();
    }

    private static void trackingInfo(Call call) {
        Reply reply = call.reply();
        reply.map(3);
        reply.bulk("flags");
        reply.set(1);
        reply.bulk("off");
        reply.bulk("redirect");
        reply.integer(-1);
        reply.bulk("prefixes");
        reply.array(0);
    }
}
