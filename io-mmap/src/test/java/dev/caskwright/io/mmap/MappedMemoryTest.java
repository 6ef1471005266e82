package dev.caskwright.io.mmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies from and to a mapping of three pages. */
final class MappedMemoryTest {
    private final byte[] scratch = new byte[2 * MappedMemory.SHORTEST_COPY];

    private static final int LENGTH = 3 * 4096;

    @TempDir
    private Path directory;

    private final byte[] content = new byte[LENGTH];
    private final MappedMemory memory = MappedMemory.allocate();
    private Path path;
    private WritableFile file;
    private ByteBuffer mapping;

    @BeforeEach
    void map() throws IOException {
        for (int i = 0; i < LENGTH; i++) {
            content[i] = (byte) i;
        }
        path = Files.write(directory.resolve("a"), content);
        file = StandardIoManager.open(directory, false).openWritable("a");
        mapping = MmapIoManager.map(file, memory, MapMode.READ_WRITE, 0, LENGTH);
    }

    @AfterEach
    void unmap() throws IOException {
        memory.unmap();
        memory.unmap(); // twice is fine
        file.close();
    }

    private void cutInTheMiddle() throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(4096);
        }
    }

    private int load(int position, byte[] target, int targetOffset, int length) throws IOException {
        MappedMemory.load(mapping, position, target, targetOffset, length, file, 1_000 + position);
        return length;
    }

    @Test
    void whateverTheLastByteIsItIsRead() throws IOException {
        for (int last = 0; last < 256; last++) {
            for (int length : new int[] {1, 5, 200}) {
                byte[] target = new byte[length + 2];
                load(last + 256 - length + 1, target, 1, length);
                byte[] expected = new byte[length + 2];
                System.arraycopy(content, last + 256 - length + 1, expected, 1, length);
                assertThat(target).isEqualTo(expected);
            }
        }
    }

    @Test
    void aCopyOfNothingTouchesNothing() throws IOException {
        byte[] target = {1, 2, 3};
        load(5, target, 0, 0);
        load(5, target, 3, 0);
        assertThat(target).containsExactly(1, 2, 3);
        MappedMemory.store(mapping, 5, target, 3, 0, scratch, file, 0);
        MappedMemory.store(mapping, 0, target, 0, 0, scratch, file, 0);
        assertThat(path).hasBinaryContent(content);
    }

    @Test
    void bytesAreStoredAtTheirPlace() throws IOException {
        MappedMemory.store(mapping, 4_000, new byte[] {99, 1, 2, 3, 99}, 1, 3, scratch, file, 0);
        content[4_000] = 1;
        content[4_001] = 2;
        content[4_002] = 3;
        byte[] target = new byte[LENGTH];
        load(0, target, 0, LENGTH);
        assertThat(target).isEqualTo(content);
        assertThat(path).hasBinaryContent(content);
    }

    @Test
    void aReadOfAPageThatIsGoneNamesTheFileAndThePlace() throws IOException {
        cutInTheMiddle();
        byte[] target = new byte[100];
        assertThatThrownBy(() -> load(8_000, target, 0, 100))
                .isInstanceOf(IOException.class)
                .hasMessage("read failed, file has become shorter: file=a, offset=9000, length=100");
        assertThat(load(4_000, target, 0, 96)).isEqualTo(96);
        assertThat(Arrays.copyOf(target, 96)).isEqualTo(Arrays.copyOfRange(content, 4_000, 4_096));
    }

    @Test
    void aWriteToAPageThatIsGoneNamesTheFileAndThePlace() throws IOException {
        cutInTheMiddle();
        byte[] source = new byte[100];
        Arrays.fill(source, (byte) 7);
        assertThatThrownBy(() -> MappedMemory.store(mapping, 8_000, source, 0, 100, scratch, file, 9_000))
                .isInstanceOf(IOException.class)
                .hasMessage("write failed, file has become shorter: file=a, offset=9000, length=100");
    }

    @Test
    void nothingIsReadOutsideTheArray() {
        assertThatThrownBy(() -> load(0, new byte[10], 5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aMappedFileKnowsItsNameAndItsEnd() throws IOException {
        MappedMemory sealed = MappedMemory.allocate();
        ReadableFile mapped = new MappedFile(
                "name", sealed, MmapIoManager.map(file, sealed, MapMode.READ_ONLY, 0, LENGTH), () -> LENGTH);
        assertThat(mapped.name()).isEqualTo("name");
        assertThat(mapped.length()).isEqualTo(LENGTH);
        assertThat(mapped.isMapped()).isTrue();
        byte[] target = new byte[10];
        assertThat(mapped.read(LENGTH - 4, target, 2, 8)).isEqualTo(4);
        assertThat(Arrays.copyOfRange(target, 2, 6)).isEqualTo(Arrays.copyOfRange(content, LENGTH - 4, LENGTH));
        assertThat(mapped.read(0, target, 0, 10)).isEqualTo(10);
        assertThat(target).isEqualTo(Arrays.copyOf(content, 10));
        assertThat(mapped.read(LENGTH, target, 0, 10)).isZero();
        assertThat(mapped.read(1L << 40, target, 0, 10)).isZero();
        assertThatThrownBy(() -> mapped.read(-1, target, 0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> mapped.read(0, target, 5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
        mapped.close();
        assertThatThrownBy(() -> mapped.read(0, target, 0, 10))
                .isInstanceOf(IOException.class)
                .hasMessage("file is closed: file=name");
    }
}
