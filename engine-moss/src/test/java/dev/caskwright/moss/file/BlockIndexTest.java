package dev.caskwright.moss.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The search for a key's block, with keys that share much, are short, or end with zeros. */
final class BlockIndexTest {
    private static final byte[] ALPHABET = {0, 1, 'a', (byte) 0x80, (byte) 0xFF};

    private static BlockIndex index(List<byte[]> firstKeys) throws IOException {
        Buffer section = new Buffer(64);
        for (byte[] key : firstKeys) {
            section.addVar(100);
            section.addVar(key.length);
            section.add(key, 0, key.length);
        }
        section.addInt(0);
        return new BlockIndex(
                "file", 100L * firstKeys.size(), Arrays.copyOf(section.bytes(), section.length()), firstKeys.size());
    }

    private static byte[] key(Random random, byte[] prefix) {
        byte[] key = Arrays.copyOf(prefix, prefix.length + random.nextInt(12));
        for (int i = prefix.length; i < key.length; i++) {
            key[i] = ALPHABET[random.nextInt(ALPHABET.length)];
        }
        // Some are another key's beginning.
        return random.nextInt(4) == 0 ? Arrays.copyOf(key, random.nextInt(key.length + 1)) : key;
    }

    @Test
    void aKeysBlockIsTheLastOneThatDoesNotBeginAfterIt() throws IOException {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            byte[] prefix = new byte[random.nextInt(11)];
            random.nextBytes(prefix);
            TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
            for (int i = random.nextInt(60); i >= 0; i--) {
                keys.add(key(random, prefix));
            }
            List<byte[]> sorted = new ArrayList<>(keys);
            BlockIndex index = index(sorted);
            for (int i = 0; i < 200; i++) {
                byte[] wanted =
                        random.nextInt(5) == 0 ? sorted.get(random.nextInt(sorted.size())) : key(random, prefix);
                int expected = keys.headSet(wanted, true).size() - 1;
                assertThat(index.floor(wanted))
                        .as("seed %s, key %s", seed, Arrays.toString(wanted))
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void anIndexWithoutBlocksHasNoBlockForAnyKey() throws IOException {
        assertThat(index(List.of()).floor(new byte[] {1})).isEqualTo(-1);
    }

    @Test
    void firstKeysThatAreOutOfOrderAreDamage() {
        assertThatThrownBy(() -> index(List.of(new byte[] {'a', 'b'}, new byte[] {'a'}, new byte[] {'a', 'b'})))
                .isInstanceOf(CorruptRecordException.class);
    }
}
