package dev.caskwright.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints a script with which a shell completes command lines of this program. */
@Command(
        name = "completion",
        description = {
            "Print a script that completes the commands and options of this program in bash or zsh.",
            "For this session: source <(caskwright completion bash), or zsh. For all: put that line into ~/.bashrc or ~/.zshrc."
        })
final class CompletionCommand implements Callable<Integer> {
    private final Shell shell;
    private final Supplier<CommandLine> program;

    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    private String name = "";

    CompletionCommand(Shell shell, Supplier<CommandLine> program) {
        this.shell = shell;
        this.program = program;
    }

    @Override
    public Integer call() throws IOException {
        if (!name.equals("bash") && !name.equals("zsh")) {
            throw new UsageException("the shell must be bash or zsh: " + name);
        }
        // The script switches the completion of bash on in zsh by itself.
        String script = AutoComplete.bash("caskwright", program.get());
        shell.out().write(script.getBytes(StandardCharsets.UTF_8));
        return ExitCode.OK;
    }
}
