package dev.caskwright.server.command;

import static dev.caskwright.server.command.Flag.ADMIN;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NO_MULTI;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.resp.Reply;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.Function;

/** The members of the group that a server belongs to. Only there if it belongs to one. */
final class GroupCommands {
    private static final String GROUP = "server";
    private static final String SINCE = "7.2.0";

    private GroupCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("RAFT", -2, Subcommands::unknown)
                .doc(GROUP, SINCE, "A container for commands about the members of the group.")
                .with(
                        admin(
                                "MEMBERS",
                                -2,
                                GroupCommands::members,
                                "Returns the members, their roles and how far they are: [group]."),
                        admin(
                                "ADD",
                                -3,
                                call -> change(
                                        call,
                                        3,
                                        group -> group.add(call.request().text(2))),
                                "Adds a member: id@host:port/client-port [group]."),
                        admin(
                                "REMOVE",
                                -3,
                                call -> change(
                                        call,
                                        3,
                                        group -> group.remove(call.request().text(2))),
                                "Removes the member of this name: id [group]."),
                        admin(
                                "TRANSFER",
                                -3,
                                call -> change(
                                        call,
                                        3,
                                        group -> group.transfer(call.request().text(2))),
                                "Has the member of this name lead: id [group]."),
                        admin(
                                "SNAPSHOT",
                                -2,
                                call -> change(call, 2, Replication::snapshot),
                                "Forces the store of this member and lets go of the log before it: [group].")));
    }

    private static Command admin(String name, int arity, Command.Handler handler, String summary) {
        return new Command(name, arity, handler)
                .flags(ADMIN, LOADING, STALE, NO_MULTI)
                .doc(GROUP, SINCE, summary);
    }

    static Replication group(Call call) {
        Replication group = call.host().replication();
        if (group == null) {
            throw new CommandException("ERR this server is alone");
        }
        return group;
    }

    /** Returns the group that a command is for: the only one, or that whose number is its last argument. */
    private static Replication group(Call call, int argument) {
        List<Replication> groups = call.host().groups();
        if (call.count() > argument + 1) {
            throw CommandException.syntax();
        }
        if (groups.isEmpty()) {
            if (call.count() > argument) {
                throw new CommandException("ERR there is one group only");
            }
            return group(call);
        }
        String problem = "ERR there are several groups: say which, 0 to " + (groups.size() - 1);
        if (call.count() <= argument) {
            throw new CommandException(problem);
        }
        return groups.get((int) call.integer(argument, 0, groups.size() - 1L, problem));
    }

    private static void members(Call call) {
        List<Replication.Member> members = group(call, 2).members();
        Reply reply = call.reply();
        reply.array(members.size());
        for (Replication.Member member : members) {
            reply.map(5);
            reply.bulk("id");
            reply.bulk(member.id());
            reply.bulk("address");
            reply.bulk(member.address());
            reply.bulk("client-address");
            reply.bulk(member.clientAddress());
            reply.bulk("role");
            reply.bulk(member.role());
            reply.bulk("lag-entries");
            reply.integer(member.lagEntries());
        }
    }

    /** Something that the group does, and that may take long. */
    private interface Change extends Function<Replication, java.util.concurrent.CompletableFuture<?>> {}

    private static void change(Call call, int argument, Change change) throws java.io.IOException {
        Replication group = group(call, argument);
        call.defer(reply -> {
            try {
                Object result = change.apply(group).join();
                if (result instanceof Long index) {
                    reply.integer(index);
                } else {
                    reply.ok();
                }
            } catch (CompletionException | IllegalArgumentException e) {
                throw new CommandException(GroupErrors.ofAdministration(e));
            }
        });
    }
}
