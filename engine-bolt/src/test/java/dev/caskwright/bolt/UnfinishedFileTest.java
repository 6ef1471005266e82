package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file whose making was cut short by a power loss is made again; one that may hold anything else is left alone. */
final class UnfinishedFileTest {
    private static final byte[] BUCKET = "bucket".getBytes();

    @TempDir
    Path directory;

    private Path file() {
        return directory.resolve("cut.db");
    }

    private BoltDatabase open(int pageSize) throws IOException {
        return BoltDatabase.builder(file()).pageSize(pageSize).open();
    }

    private byte[] newFile(int pageSize) throws IOException {
        open(pageSize).close();
        byte[] bytes = Files.readAllBytes(file());
        Files.delete(file());
        return bytes;
    }

    private void assertThatItIsMadeAgain(byte[] bytes, int pageSize, String where) throws IOException {
        Files.write(file(), bytes);
        try (BoltDatabase database = open(pageSize)) {
            database.update(transaction -> transaction.createBucket(BUCKET).put(BUCKET, BUCKET));
            assertThat(database.check().problems()).as(where).isEmpty();
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
        Files.delete(file());
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4_096})
    void metaPagesThatWereCutShortAreWrittenAgain(int pageSize) throws IOException {
        byte[] whole = newFile(pageSize);
        int step = pageSize == 512 ? 1 : 8; // the fields of a meta page have 4 or 8 bytes
        for (int cut = 0; cut <= pageSize + 80; cut = cut == 80 ? pageSize : cut + step) {
            byte[] head = whole.clone();
            Arrays.fill(head, cut, 2 * pageSize, (byte) 0);
            assertThatItIsMadeAgain(head, pageSize, "all of the meta pages from byte " + cut + " on is missing");
            byte[] tail = whole.clone();
            Arrays.fill(tail, 0, cut, (byte) 0);
            assertThatItIsMadeAgain(tail, pageSize, "all of the meta pages up to byte " + cut + " is missing");
            assertThatItIsMadeAgain(head, 1_024, "the same with other pages wanted");
        }
        Random random = new Random(1);
        for (int i = 0; i < 60; i++) {
            byte[] torn = whole.clone();
            for (int at = 0; at < 2 * pageSize; at += 8) {
                if (random.nextBoolean()) {
                    Arrays.fill(torn, at, at + 8, (byte) 0);
                }
            }
            assertThatItIsMadeAgain(torn, pageSize, "seed 1, try " + i);
        }
    }

    @Test
    void aFileThatMayHoldSomethingElseIsLeftAlone() throws IOException {
        byte[] whole = newFile(512);
        byte[] broken = whole.clone();
        broken[20]++; // the version of the format
        broken[512 + 64] = 7; // the transaction
        byte[] longer = Arrays.copyOf(whole, whole.length + 1);
        Arrays.fill(longer, 0, 1_024, (byte) 0);
        longer[whole.length] = 1;
        byte[] withData = whole.clone();
        Arrays.fill(withData, 0, 1_024, (byte) 0);
        withData[3 * 512 + 10] = 1; // a key in the root
        byte[] text = "hello".getBytes();
        for (byte[] bytes : new byte[][] {broken, longer, withData, text}) {
            Files.write(file(), bytes);
            assertThatThrownBy(() -> open(512)).isInstanceOf(IOException.class);
            assertThat(Files.readAllBytes(file())).isEqualTo(bytes);
        }
    }

    @Test
    void aNewFileIsNotMadeAgain() throws IOException {
        byte[] whole = newFile(512);
        Files.write(file(), whole);
        open(4_096).close(); // would have other pages if it were made again
        assertThat(Files.readAllBytes(file())).isEqualTo(whole);
        Arrays.fill(whole, 0, 512, (byte) 0); // one sound meta page is enough
        Files.write(file(), whole);
        open(4_096).close();
        assertThat(Files.size(file())).isEqualTo(whole.length);
    }
}
