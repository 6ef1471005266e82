package dev.caskwright.cli;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Applies the puts and deletes of JSON Lines as one batch. */
@Command(
        name = "batch",
        description = {
            "Apply puts and deletes as one batch: all of them or none. Makes the store if there is none.",
            "Each line is {\"op\":\"put\",\"key\":\"...\",\"value\":\"...\"}, with \"expiresAt\" if it is to expire,"
                    + " or {\"op\":\"delete\",\"key\":\"...\"}. Lines printed by watch are accepted as well. The last"
                    + " change to a key wins. A malformed line ends the command with exit code 1, and nothing is"
                    + " applied. The batch is held in memory."
        })
final class BatchCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private CreateOption create = new CreateOption();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Parameters(paramLabel = "FILE", description = "The file to read; - is standard input.")
    private String file = "";

    BatchCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        WriteBatch batch;
        try (InputStream in = Input.open(shell, file)) {
            batch = read(new JsonLineReader(in, text.encoding(), JsonLine.Format.CHANGE));
        } catch (MalformedLineException e) {
            throw new MalformedLineException(e.lineNumber(), e.reason() + "; nothing was applied");
        }
        try (StorageEngine store = place.open(shell, create.access())) {
            store.write(batch, WriteOptions.DEFAULT);
        }
        return ExitCode.OK;
    }

    private static WriteBatch read(JsonLineReader lines) throws IOException {
        WriteBatch batch = new WriteBatch();
        for (JsonLine line = lines.next(); line != null; line = lines.next()) {
            byte[] value = line.value();
            if (value == null) {
                batch.delete(line.key());
            } else {
                batch.put(line.key(), value, line.options());
            }
        }
        return batch;
    }
}
