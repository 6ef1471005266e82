package dev.caskwright.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Whether a command tells what it did as JSON. */
final class JsonOption {
    @Option(names = "--json", description = "Print the figures of what was done as one JSON object on standard output.")
    private boolean json;

    boolean isOn() {
        return json;
    }

    /** Prints figures, in their order, if the user wants that. */
    void print(Shell shell, Object... namesAndFigures) throws IOException {
        if (!json) {
            return;
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        for (int i = 0; i < namesAndFigures.length; i += 2) {
            figures.put((String) namesAndFigures[i], namesAndFigures[i + 1]);
        }
        print(shell, figures);
    }

    /** Prints figures if the user wants that. */
    void print(Shell shell, Map<String, Object> figures) throws IOException {
        if (json) {
            Figures.printJson(shell.out(), figures);
        }
    }
}
