package dev.caskwright.server.command;

import static dev.caskwright.server.command.Flag.ADMIN;
import static dev.caskwright.server.command.Flag.LOADING;
import static dev.caskwright.server.command.Flag.NOSCRIPT;
import static dev.caskwright.server.command.Flag.STALE;

import dev.caskwright.server.resp.Printable;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** ACL: who may do what. */
final class AclCommands {
    private static final String GROUP = "server";
    private static final int MAX_RANDOM_BITS = 4096;
    private static final int BITS_PER_DIGIT = 4;
    private static final SecureRandom RANDOM = new SecureRandom();

    private AclCommands() {}

    static void addTo(List<Command> commands) {
        commands.add(new Command("ACL", -2, Subcommands::unknown)
                .doc(GROUP, "6.0.0", "A container for access control commands.")
                .with(
                        free(
                                "WHOAMI",
                                2,
                                call -> call.reply().bulk(call.session().user().name()),
                                "Returns the user's name."),
                        free("CAT", -2, AclCommands::categories, "Lists categories, or the commands of one."),
                        free("GENPASS", -2, AclCommands::password, "Makes a password that nobody can guess."),
                        admin("USERS", 2, AclCommands::users, "Lists the names of users."),
                        admin("LIST", 2, AclCommands::list, "Lists users with their rules."),
                        admin("GETUSER", 3, AclCommands::user, "Returns the rules of a user."),
                        admin("SETUSER", -3, AclCommands::set, "Makes or changes a user."),
                        admin("DELUSER", -3, AclCommands::delete, "Removes users."),
                        admin("DRYRUN", -4, AclCommands::dryRun, "Tells whether a user may run a command."),
                        admin("LOG", -2, AclCommands::log, "Returns what was refused lately."),
                        admin("LOAD", 2, AclCommands::load, "Reads the users' file anew."),
                        admin("SAVE", 2, AclCommands::save, "Writes the users' file.")));
    }

    private static Command free(String name, int arity, Command.Handler handler, String summary) {
        return new Command(name, arity, handler).flags(NOSCRIPT, LOADING, STALE).doc(GROUP, "6.0.0", summary);
    }

    private static Command admin(String name, int arity, Command.Handler handler, String summary) {
        return new Command(name, arity, handler)
                .flags(ADMIN, NOSCRIPT, LOADING, STALE, Flag.SKIP_SLOWLOG)
                .doc(GROUP, "6.0.0", summary);
    }

    private static void categories(Call call) {
        if (call.count() == 2) {
            call.reply().array(Category.values().length);
            for (Category category : Category.values()) {
                call.reply().bulk(category.label());
            }
            return;
        }
        Category category = Category.find(call.request().text(2).toLowerCase(Locale.ROOT));
        if (category == null) {
            throw new CommandException("ERR Unknown category '" + call.request().printable(2) + "'");
        }
        List<Command> commands = call.host().commands().all().stream()
                .filter(command -> command.categories().contains(category))
                .toList();
        call.reply().array(commands.size());
        commands.forEach(command -> call.reply().bulk(command.fullName()));
    }

    private static void password(Call call) {
        long bits = 256;
        if (call.count() == 3) {
            bits = call.integer(
                    2, 1, MAX_RANDOM_BITS, "ERR ACL GENPASS argument must be the number of bits, from 1 to 4096");
        }
        int digits = (int) (bits + BITS_PER_DIGIT - 1) / BITS_PER_DIGIT;
        byte[] random = new byte[(digits + 1) / 2];
        RANDOM.nextBytes(random);
        call.reply().bulk(HexFormat.of().formatHex(random).substring(0, digits));
    }

    private static void users(Call call) {
        var users = call.host().acl().users();
        call.reply().array(users.size());
        users.forEach(user -> call.reply().bulk(user.name()));
    }

    private static void list(Call call) {
        List<String> lines = call.host().acl().lines();
        call.reply().array(lines.size());
        lines.forEach(call.reply()::bulk);
    }

    private static void user(Call call) {
        User user = call.host().acl().find(call.request().text(2));
        Reply reply = call.reply();
        if (user == null) {
            reply.nil();
            return;
        }
        reply.map(6);
        reply.bulk("flags");
        List<String> flags = new ArrayList<>(List.of(user.isEnabled() ? "on" : "off"));
        if (user.needsNoPassword()) {
            flags.add("nopass");
        }
        reply.set(flags.size());
        flags.forEach(reply::bulk);
        reply.bulk("passwords");
        reply.array(user.passwords().size());
        user.passwords().forEach(reply::bulk);
        reply.bulk("commands");
        reply.bulk(user.commandRules());
        reply.bulk("keys");
        reply.bulk(user.keyRules());
        reply.bulk("channels");
        reply.bulk(user.channelRules());
        reply.bulk("selectors");
        reply.array(0);
    }

    private static void set(Call call) {
        String name = call.request().text(2);
        if (!ConnectionCommands.isName(call.request().bytes(2))) {
            throw new CommandException("ERR Usernames can't contain spaces or null characters");
        }
        List<String> rules = new ArrayList<>();
        for (int i = 3; i < call.count(); i++) {
            // A space would end the rule where users are listed or stored; of passwords only a hash is.
            boolean isPassword =
                    call.request().length(i) > 0 && "><".indexOf(call.request().at(i, 0)) >= 0;
            if (!isPassword && !ConnectionCommands.isName(call.request().bytes(i))) {
                throw new CommandException("ERR rules cannot contain spaces, newlines or special characters");
            }
            rules.add(call.request().text(i));
        }
        try {
            call.host().acl().set(name, rules, call.host().clients());
        } catch (IllegalArgumentException e) {
            throw new CommandException("ERR " + e.getMessage());
        }
        call.reply().ok();
    }

    private static void delete(Call call) {
        int count = 0;
        for (int i = 2; i < call.count(); i++) {
            String name = call.request().text(i);
            if (name.equals(Acl.DEFAULT)) {
                throw new CommandException("ERR The 'default' user cannot be removed");
            }
            boolean isOwn = call.session().user().name().equals(name);
            if (call.host().acl().remove(name, call.host().clients())) {
                count++;
                if (isOwn) {
                    call.close();
                }
            }
        }
        call.reply().integer(count);
    }

    private static void dryRun(Call call) {
        User user = call.host().acl().find(call.request().text(2));
        if (user == null) {
            throw new CommandException("ERR User '" + call.request().printable(2) + "' not found");
        }
        byte[][] arguments = new byte[call.count() - 3][];
        for (int i = 3; i < call.count(); i++) {
            arguments[i - 3] = call.request().bytes(i);
        }
        var inner = Request.of(arguments);
        Command command = call.host().commands().find(inner);
        if (command == null) {
            throw new CommandException("ERR Command '" + call.request().printable(3) + "' not found");
        }
        if (!command.takes(inner.count())) {
            throw new CommandException("ERR wrong number of arguments for '" + command.fullName() + "' command");
        }
        String objection = user.objection(command, inner);
        if (objection == null) {
            call.reply().ok();
        } else {
            call.reply().bulk(Dispatcher.refusal(objection, user, command));
        }
    }

    private static void log(Call call) {
        if (call.count() == 3 && call.request().is(2, "RESET")) {
            call.host().acl().clearLog();
            call.reply().ok();
            return;
        }
        long count = call.count() == 3 ? call.integer(2, 0, Integer.MAX_VALUE, "ERR count is out of range") : 10;
        List<Acl.Refusal> all = call.host().acl().log();
        List<Acl.Refusal> shown = all.subList(0, (int) Math.min(count, all.size()));
        Reply reply = call.reply();
        reply.array(shown.size());
        for (Acl.Refusal refusal : shown) {
            reply.map(8);
            reply.bulk("count");
            reply.integer(refusal.count());
            reply.bulk("reason");
            reply.bulk(refusal.reason());
            reply.bulk("context");
            reply.bulk(refusal.context());
            reply.bulk("object");
            reply.bulk(refusal.object());
            reply.bulk("username");
            reply.bulk(refusal.user());
            reply.bulk("age-seconds");
            reply.real((call.nowMillis() - refusal.atMillis()) / 1000.0);
            reply.bulk("client-info");
            reply.bulk(refusal.client());
            reply.bulk("entry-id");
            reply.integer(refusal.id());
        }
    }

    private static void checkFile(Call call) {
        if (call.host().config().text("aclfile").isEmpty()) {
            throw new CommandException("ERR This server is not configured to use an ACL file. Set aclfile to use one.");
        }
    }

    private static void load(Call call) {
        checkFile(call);
        try {
            call.host().acl().reload(call.host().clients());
        } catch (IOException e) {
            throw new CommandException("ERR " + Printable.of(String.valueOf(e.getMessage())));
        }
        call.reply().ok();
    }

    private static void save(Call call) throws IOException {
        checkFile(call);
        call.host().acl().save();
        call.reply().ok();
    }
}
