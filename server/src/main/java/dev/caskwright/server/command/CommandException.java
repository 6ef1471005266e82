package dev.caskwright.server.command;

/** A command cannot do what it was asked to; nothing was changed. The message is the reply, its code first. */
final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CommandException(String reply) {
        super(reply, null, false, false);
    }

    static CommandException syntax() {
        return new CommandException("ERR syntax error");
    }

    static CommandException notAnInteger() {
        return new CommandException("ERR value is not an integer or out of range");
    }

    static CommandException wrongType() {
        return new CommandException("WRONGTYPE Operation against a key holding the wrong kind of value");
    }

    static CommandException invalidExpireTime(Call call) {
        return new CommandException(
                "ERR invalid expire time in '" + call.command().fullName() + "' command");
    }
}
