package dev.caskwright.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** What the program's exit codes mean. Scripts rely on them: they never change. */
final class ExitCode {
    static final int OK = 0;

    /** The key is not there (or, for a conditional write, is), or damage was found, in the store or in the input. */
    static final int NOT_FOUND_OR_DAMAGE = 1;

    static final int USAGE = 2;

    static final int STORE_ERROR = 3;

    private ExitCode() {}

    /** Returns the codes with their meanings, for the help texts. */
    static Map<String, String> meanings() {
        Map<String, String> meanings = new LinkedHashMap<>();
        meanings.put(" " + OK, "success");
        meanings.put(
                " " + NOT_FOUND_OR_DAMAGE,
                "the key was not found (with --if-absent: was found), or the store or the input is damaged");
        meanings.put(" " + USAGE, "the command line is wrong; nothing was done");
        meanings.put(" " + STORE_ERROR, "the store or the system refused; one line on standard error says why");
        return meanings;
    }
}
