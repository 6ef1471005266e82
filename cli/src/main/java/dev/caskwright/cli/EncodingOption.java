package dev.caskwright.cli;

import picocli.CommandLine.Option;

/** How keys and values are written as text. */
final class EncodingOption {
    @Option(
            names = "--encoding",
            paramLabel = "ENCODING",
            description = "How keys and values are written as text: utf8 (the default) or base64.")
    private Encoding encoding = Encoding.UTF8;

    Encoding encoding() {
        return encoding;
    }
}
