package dev.caskwright.raft;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Certificates for the connections between members, in both directions: each shows its own, and believes those that an authority
 * of {@code trusted} has signed.
 *
 * @param key the private key, PKCS #8 in PEM
 * @param certificate the certificate of this member with its chain, in PEM
 * @param trusted the certificates of the authorities, in PEM
 */
public record RaftTls(Path key, Path certificate, Path trusted) {
    public RaftTls {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(certificate, "certificate");
        Objects.requireNonNull(trusted, "trusted");
    }
}
