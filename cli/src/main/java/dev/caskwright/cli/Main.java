package dev.caskwright.cli;

import dev.caskwright.api.MissingFacetException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The program {@code caskwright}: runs the command that the arguments name. See {@link ExitCode} for its answers. */
public final class Main {
    private final Shell shell;

    Main(Shell shell) {
        this.shell = shell;
    }

    /** Runs the command and ends the JVM with its exit code. */
    public static void main(String[] arguments) {
        int exitCode = ExitCode.STORE_ERROR;
        try {
            exitCode = new Main(Shell.ofProcess()).run(arguments);
        } catch (LinkageError e) {
            System.err.println(
                    "caskwright: a class of this program cannot be loaded: a jar is missing or damaged, or there are"
                            + " too few file descriptors (ulimit -n): " + e);
        }
        System.exit(exitCode);
    }

    /** Runs the command and returns its exit code. */
    int run(String... arguments) {
        RootCommand root = new RootCommand();
        int exitCode;
        try {
            exitCode = commandLine(root, nameOf(arguments)).execute(arguments);
        } catch (Error e) {
            // Not handled by the parser: out of memory, say, or a plug-in that cannot be loaded.
            exitCode = failed(e, root.isVerbose());
        }
        try {
            shell.out().flush();
        } catch (IOException e) {
            // After a store error, which may have been this very one, there is nothing to add.
            return exitCode == ExitCode.STORE_ERROR ? exitCode : failed(e, root.isVerbose());
        }
        return exitCode;
    }

    private static String nameOf(String[] arguments) {
        return arguments.length == 0 ? "" : arguments[0];
    }

    /** Returns the parser for a command, or for all if there is none of that name. */
    private CommandLine commandLine(RootCommand root, String wanted) {
        CommandLine commandLine = new CommandLine(root);
        Map<String, Supplier<Object>> commands = commands();
        // Looking through all commands takes longer than running most of them: if one is named, it is enough.
        boolean isNamed = commands.containsKey(wanted);
        commands.forEach((name, command) -> {
            if (!isNamed || name.equals(wanted)) {
                commandLine.addSubcommand(name, command.get());
            }
        });
        for (CommandLine command : commandLine.getSubcommands().values()) {
            explainExitCodes(command);
        }
        explainExitCodes(commandLine);
        return commandLine
                // A value that starts with @ is a value.
                .setExpandAtFiles(false)
                .setInterpolateVariables(false)
                .setPosixClusteredShortOptionsAllowed(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(writer(shell.out()))
                .setErr(writer(shell.err()))
                .setParameterExceptionHandler(this::misused)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, root.isVerbose()));
    }

    /** Returns all commands, in the order of the help text. */
    Map<String, Supplier<Object>> commands() {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("demo", () -> new DemoCommand(shell));
        commands.put("put", () -> new PutCommand(shell));
        commands.put("get", () -> new GetCommand(shell));
        commands.put("expire", () -> new ExpireCommand(shell));
        commands.put("delete", () -> new DeleteCommand(shell));
        commands.put("scan", () -> new ScanCommand(shell));
        commands.put("load", () -> new LoadCommand(shell));
        commands.put("dump", () -> new DumpCommand(shell));
        commands.put("batch", () -> new BatchCommand(shell));
        commands.put("watch", () -> new WatchCommand(shell));
        commands.put("serve", () -> new ServeCommand(shell));
        commands.put("stat", () -> new StatCommand(shell));
        commands.put("top", () -> new TopCommand(shell));
        commands.put("inspect", () -> new InspectCommand(shell));
        commands.put("doctor", () -> new DoctorCommand(shell));
        commands.put("verify", () -> new VerifyCommand(shell));
        commands.put("salvage", () -> new SalvageCommand(shell));
        commands.put("merge", () -> new MergeCommand(shell));
        commands.put("backup", () -> new BackupCommand(shell));
        commands.put("checkpoint", () -> new CheckpointCommand(shell));
        commands.put("restore", () -> new RestoreCommand(shell));
        commands.put("replicate", () -> new ReplicateCommand(shell));
        commands.put("convert", () -> new ConvertCommand(shell));
        commands.put("import", () -> new ImportCommand(shell));
        commands.put(
                "bolt",
                () -> new CommandLine(new BoltCommand(shell)).addSubcommand("surgery", new BoltSurgeryCommand(shell)));
        commands.put("mvcc", () -> new MvccCommand(shell));
        commands.put("bench", BenchCommand::new);
        commands.put("completion", () -> new CompletionCommand(shell, () -> commandLine(new RootCommand(), "")));
        return commands;
    }

    private static void explainExitCodes(CommandLine command) {
        command.getCommandSpec()
                .usageMessage()
                .exitCodeListHeading("%nExit codes:%n")
                .exitCodeList(ExitCode.meanings());
    }

    private static PrintWriter writer(OutputStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
    }

    private int misused(ParameterException problem, String[] arguments) {
        shell.complain(problem.getMessage() + suggestion(problem, arguments));
        shell.err().println("Try '" + problem.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.USAGE;
    }

    /** Returns what the user may have meant; empty if nothing is near it. */
    private String suggestion(ParameterException problem, String[] arguments) {
        CommandLine command = problem.getCommandLine();
        boolean isCommandKnown = command.getParent() != null || commands().containsKey(nameOf(arguments));
        String near = isCommandKnown
                ? Suggestions.forOption(
                        arguments, command.getCommandSpec().optionsMap().keySet())
                : Suggestions.nearest(nameOf(arguments), commands().keySet());
        return near.isEmpty() ? "" : "; did you mean '" + near + "'?";
    }

    private int failed(Throwable failure, boolean verbose) {
        if (failure instanceof OutputClosedException) {
            // Whoever read has seen enough, and nobody is left to tell.
            return ExitCode.OK;
        }
        shell.complain(Failures.describe(failure));
        if (verbose) {
            shell.explain(failure);
        }
        if (failure instanceof UsageException || failure instanceof MissingFacetException) {
            return ExitCode.USAGE;
        }
        return failure instanceof MalformedLineException ? ExitCode.NOT_FOUND_OR_DAMAGE : ExitCode.STORE_ERROR;
    }
}
