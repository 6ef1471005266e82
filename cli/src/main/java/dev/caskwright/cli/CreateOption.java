package dev.caskwright.cli;

import dev.caskwright.api.spi.engine.EngineSettings.Access;
import picocli.CommandLine.Option;

/** Where a command that stores something may make a store. */
final class CreateOption {
    @Option(
            names = "--among-other-files",
            description =
                    "Make the store even in a directory that holds other files. Without this, a store is made only in"
                            + " a directory that is missing or empty.")
    private boolean amongOtherFiles;

    Access access() {
        return amongOtherFiles ? Access.CREATE_AMONG_OTHER_FILES : Access.CREATE;
    }
}
