package dev.caskwright.server.command;

import dev.caskwright.server.resp.Glob;

/** A command cannot do what it was asked to; nothing was changed. The message is the reply, its code first. */
final class CommandException extends RuntimeException {
    static final String NO_MEMORY = "all clients together keep as much as maxmemory-clients allows";

    private static final long serialVersionUID = 1L;

    CommandException(String reply) {
        super(reply, null, false, false);
    }

    static CommandException syntax() {
        return new CommandException("ERR syntax error");
    }

    static CommandException noMemory() {
        return new CommandException("ERR " + NO_MEMORY);
    }

    /** Makes a pattern of what a client sent. */
    static Glob glob(byte[] pattern) {
        try {
            return new Glob(pattern);
        } catch (IllegalArgumentException e) {
            throw new CommandException("ERR " + e.getMessage());
        }
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
