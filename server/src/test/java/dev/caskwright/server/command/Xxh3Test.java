package dev.caskwright.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hashes of parts of an array, each side of each length at which the way of hashing changes; from xxHash 0.8 by its Python binding. */
final class Xxh3Test {
    private static final int FROM = 3;

    @ParameterizedTest
    @CsvSource(
            delimiter = ':',
            value = {
                "0: 2d06800538d394c2",
                "1: dea50e3c9e6bbb39",
                "3: 70ac0606800b1b5a",
                "4: 46d61a340e5988b5",
                "8: c869278f5916589b",
                "9: dcf8dd70d8eab249",
                "16: 374cef32aee7fcfa",
                "17: 0b0a9288763118a8",
                "32: aa133c40877d63c8",
                "33: c547303d9f0314b1",
                "128: 6fad119e45d8439d",
                "129: 1f4400ac7f93ba49",
                "240: 5921f10cda225704",
                "241: 1436d0dee84bc3af",
                "1024: 7ae3ec2a584844d1",
                "1025: 035c3fc40c1af69c",
                "4096: 8ab7fa5479b91fa3",
                "4990: f7206fae51efd8b8"
            })
    void hashesAreThoseOfXxHash(int length, String hash) {
        byte[] data = new byte[FROM + length + 5];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (i * 31 + (i >>> 3) * 7);
        }
        assertThat(Xxh3.hash(data, FROM, length)).isEqualTo(Long.parseUnsignedLong(hash, 16));
    }
}
