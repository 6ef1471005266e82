package dev.caskwright.server.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files for TLS between servers, as the options of a mode name them: {@code PREFIX-tls-key-file}, {@code PREFIX-tls-cert-file} and
 * {@code PREFIX-tls-ca-cert-file}.
 *
 * @param key the private key, PKCS #8 in PEM
 * @param certificate its certificate with the chain, in PEM
 * @param trusted the certificates of the authorities, in PEM
 */
public record TlsFiles(Path key, Path certificate, Path trusted) {
    /**
     * Returns the files that a configuration names; null if it names none.
     *
     * @param prefix what the options begin with, {@code raft} for one
     * @param servers what the servers are called, for messages
     * @throws IllegalArgumentException if it names a part of the files, or one that cannot be read; the message says which
     */
    public static @Nullable TlsFiles of(ServerConfig config, String prefix, String servers) {
        List<Path> files = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String end : List.of("key-file", "cert-file", "ca-cert-file")) {
            String option = prefix + "-tls-" + end;
            if (config.text(option).isEmpty()) {
                missing.add(option);
            } else {
                Path file = Path.of(config.text(option));
                if (!Files.isReadable(file)) {
                    throw new IllegalArgumentException("option '" + option + "': the file cannot be read: " + file);
                }
                files.add(file);
            }
        }
        if (files.isEmpty()) {
            return null;
        }
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException(
                    "TLS between " + servers + " needs all three files, or none: missing=" + missing);
        }
        return new TlsFiles(files.get(0), files.get(1), files.get(2));
    }
}
