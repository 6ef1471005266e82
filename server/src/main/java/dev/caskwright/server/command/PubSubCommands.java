package dev.caskwright.server.command;

import static dev.caskwright.server.command.Flag.FAST;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.PUBSUB;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.store.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Messages to all who listen to a channel. Nothing of it is stored. */
final class PubSubCommands {
    private static final String GROUP = "pubsub";

    /** Of a channel or pattern: a message is matched against all patterns. */
    private static final int MAX_NAME_BYTES = 64 << 10;

    private PubSubCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(command("SUBSCRIBE", -2, call -> subscribe(call, false), "2.0.0", "Listens to channels."));
        commands.add(
                command("PSUBSCRIBE", -2, call -> subscribe(call, true), "2.0.0", "Listens to channels that match."));
        commands.add(
                command("UNSUBSCRIBE", -1, call -> unsubscribe(call, false), "2.0.0", "Ends to listen to channels."));
        commands.add(
                command("PUNSUBSCRIBE", -1, call -> unsubscribe(call, true), "2.0.0", "Ends to listen to patterns."));
        commands.add(new Command("PUBLISH", 3, PubSubCommands::publish)
                .flags(PUBSUB, LOADING, STALE, FAST)
                .doc(GROUP, "2.0.0", "Sends a message to a channel."));
        commands.add(new Command("PUBSUB", -2, Subcommands::unknown)
                .flags(PUBSUB)
                .doc(GROUP, "2.8.0", "A container for commands about channels.")
                .with(
                        about(
                                "CHANNELS",
                                -2,
                                PubSubCommands::channels,
                                "Returns the channels that somebody listens to."),
                        about("NUMSUB", -2, PubSubCommands::listeners, "Counts the listeners of channels."),
                        about(
                                "NUMPAT",
                                2,
                                call -> call.reply()
                                        .integer(call.host().pubSub().patternCount()),
                                "Counts patterns.")));
    }

    private static Command command(String name, int arity, Command.Handler handler, String since, String summary) {
        return new Command(name, arity, handler)
                .flags(PUBSUB, NOSCRIPT, LOADING, STALE)
                .doc(GROUP, since, summary);
    }

    private static Command about(String name, int arity, Command.Handler handler, String summary) {
        return new Command(name, arity, handler).flags(PUBSUB, LOADING, STALE).doc(GROUP, "2.8.0", summary);
    }

    private static void subscribe(Call call, boolean isPattern) {
        Session session = call.session();
        for (int i = 1; i < call.count(); i++) {
            checkLength(call, i);
            if (!session.user().allowsChannel(call.request().bytes(i), isPattern)) {
                throw refusedChannel(call, i);
            }
            if (isPattern) {
                CommandException.glob(call.request().bytes(i));
            }
        }
        for (int i = 1; i < call.count(); i++) {
            Bytes name = new Bytes(call.request().bytes(i));
            try {
                if (isPattern) {
                    call.host().pubSub().subscribePattern(session, name);
                } else {
                    call.host().pubSub().subscribe(session, name);
                }
            } catch (CommandException e) {
                // Some names are subscribed to and some are not, and one error cannot tell which.
                call.close();
                throw e;
            }
            told(call, isPattern ? "psubscribe" : "subscribe", name.array());
        }
    }

    private static void checkLength(Call call, int i) {
        if (call.request().length(i) > MAX_NAME_BYTES) {
            throw new CommandException("ERR channels and patterns are at most " + MAX_NAME_BYTES + " bytes long");
        }
    }

    private static CommandException refusedChannel(Call call, int i) {
        call.host()
                .acl()
                .refused(
                        "channel",
                        call.isInTransaction(),
                        call.request().printable(i),
                        call.session().user().name(),
                        call.session(),
                        call.nowMillis());
        return new CommandException("NOPERM No permissions to access a channel");
    }

    private static void unsubscribe(Call call, boolean isPattern) {
        Session session = call.session();
        Set<Bytes> all = isPattern ? session.patterns() : session.channels();
        List<Bytes> names = new ArrayList<>();
        for (int i = 1; i < call.count(); i++) {
            names.add(new Bytes(call.request().bytes(i)));
        }
        if (call.count() == 1) {
            names.addAll(all);
        }
        String kind = isPattern ? "punsubscribe" : "unsubscribe";
        for (Bytes name : names) {
            if (isPattern) {
                call.host().pubSub().unsubscribePattern(session, name);
            } else {
                call.host().pubSub().unsubscribe(session, name);
            }
            told(call, kind, name.array());
        }
        if (names.isEmpty()) {
            told(call, kind, null);
        }
    }

    private static void told(Call call, String kind, byte @Nullable [] name) {
        Reply reply = call.reply();
        reply.push(3);
        reply.bulk(kind);
        reply.bulkOrNil(name);
        reply.integer(call.session().subscriptions());
    }

    private static void publish(Call call) {
        checkLength(call, 1);
        if (!call.session().user().allowsChannel(call.request().bytes(1), false)) {
            throw refusedChannel(call, 1);
        }
        int count = call.host()
                .pubSub()
                .publish(call.request().bytes(1), call.request().bytes(2));
        call.pushed(count);
        call.reply().integer(count);
    }

    private static void channels(Call call) {
        if (call.count() > 3) {
            throw CommandException.syntax();
        }
        Glob glob = call.count() == 3 ? CommandException.glob(call.request().bytes(2)) : Glob.all();
        List<byte[]> names = call.host().pubSub().channels(glob);
        call.reply().array(names.size());
        names.forEach(call.reply()::bulk);
    }

    private static void listeners(Call call) {
        call.reply().array((call.count() - 2L) * 2);
        for (int i = 2; i < call.count(); i++) {
            call.reply().bulk(call.request().bytes(i));
            call.reply().integer(call.host().pubSub().listeners(call.request().bytes(i)));
        }
    }
}
