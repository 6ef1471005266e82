package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes the value of a key to standard output, byte for byte. */
@Command(
        name = "get",
        description =
                "Write the value of a key to standard output, byte for byte. On a terminal, characters that it would"
                        + " obey are shown as \\u001b and the like, unless --raw is given.")
final class GetCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Option(names = "--raw", description = "Write the value byte for byte to a terminal as well.")
    private boolean raw;

    @Parameters(paramLabel = "KEY", description = "The key.")
    private String key = "";

    GetCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        byte[] keyBytes = text.encoding().keyArgument(key);
        try (StorageEngine store = place.open(shell, Access.READ)) {
            byte[] value = store.get(keyBytes);
            if (value == null) {
                shell.complain("no such key");
                return ExitCode.NOT_FOUND_OR_DAMAGE;
            }
            if (shell.printsToTerminal() && !raw) {
                shell.out().write(Printable.lines(new String(value, UTF_8)).getBytes(UTF_8));
            } else {
                shell.out().write(value);
            }
            return ExitCode.OK;
        }
    }
}
