package dev.caskwright.cli;

import dev.caskwright.bolt.BoltSurgery;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Repairs of damaged bolt files. Each writes a new file and leaves the damaged one as it is. */
@Command(
        name = "surgery",
        description = "Repair a damaged file of bolt. Each command writes a new file and only reads the damaged one.",
        synopsisSubcommandLabel = "COMMAND")
final class BoltSurgeryCommand implements Runnable {
    private final Shell shell;
    private final BoltSurgery surgery = new BoltSurgery(StandardIoManager::open);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    BoltSurgeryCommand(Shell shell) {
        this.shell = shell;
    }

    /** Where the repaired file goes. */
    static final class Output {
        @Option(
                names = {"-o", "--output"},
                required = true,
                paramLabel = "NEWFILE",
                description = "The file to write; it must not exist.")
        private Path file = Path.of("");

        Path file() {
            if (Files.exists(file)) {
                throw new UsageException("the file to write exists: " + file);
            }
            return file;
        }
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "no command: see 'caskwright bolt surgery --help'");
    }

    @Command(name = "revert-meta-page", description = "Go back to the state before the last commit.")
    int revertMetaPage(
            @Mixin Output output, @Parameters(paramLabel = "FILE", description = "The damaged file.") Path file)
            throws IOException {
        surgery.revertMetaPage(file, output.file());
        shell.println("The last commit is undone in " + output.file);
        return ExitCode.OK;
    }

    @Command(
            name = "abandon-freelist",
            description = "Drop the freelist; opening finds the free pages by reading all others.")
    int abandonFreelist(
            @Mixin Output output, @Parameters(paramLabel = "FILE", description = "The damaged file.") Path file)
            throws IOException {
        surgery.abandonFreelist(file, output.file());
        shell.println("There is no freelist in " + output.file);
        return ExitCode.OK;
    }

    @Command(name = "rebuild-freelist", description = "Rebuild the freelist, from what the buckets do not use.")
    int rebuildFreelist(
            @Mixin Output output, @Parameters(paramLabel = "FILE", description = "The damaged file.") Path file)
            throws IOException {
        surgery.rebuildFreelist(file, output.file());
        shell.println("The freelist is rebuilt in " + output.file);
        return ExitCode.OK;
    }

    @Command(name = "salvage", description = "Copy every bucket, key and value that can be read; print what cannot.")
    int salvage(@Mixin Output output, @Parameters(paramLabel = "FILE", description = "The damaged file.") Path file)
            throws IOException {
        BoltSurgery.SalvageResult result = surgery.salvage(file, output.file());
        for (String problem : result.problems()) {
            shell.println("lost: " + problem);
        }
        shell.println(String.format(
                Locale.ROOT,
                "%,d keys in %,d buckets copied, %,d places lost",
                result.keys(),
                result.buckets(),
                result.problems().size()));
        return result.problems().isEmpty() ? ExitCode.OK : ExitCode.NOT_FOUND_OR_DAMAGE;
    }
}
