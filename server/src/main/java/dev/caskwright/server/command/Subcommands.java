package dev.caskwright.server.command;

/** What commands that have subcommands do themselves. */
final class Subcommands {
    private Subcommands() {}

    /** Answers HELP, and says of anything else that it is unknown. */
    static void unknown(Call call) {
        if (call.count() == 2 && call.request().is(1, "HELP")) {
            call.reply().array(call.command().subcommands().size() + 1L);
            call.reply().simple(call.command().name() + " <subcommand> [<arg> ...]. Subcommands are:");
            for (Command subcommand : call.command().subcommands()) {
                call.reply().simple(subcommand.name() + ": " + subcommand.summary());
            }
            return;
        }
        throw new CommandException("ERR unknown subcommand '" + call.request().printable(1) + "'. Try "
                + call.command().name() + " HELP.");
    }
}
