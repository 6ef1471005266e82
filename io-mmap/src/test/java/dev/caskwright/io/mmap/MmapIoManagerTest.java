package dev.caskwright.io.mmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.testkit.FileSystemIoManagerContract;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

final class MmapIoManagerTest extends FileSystemIoManagerContract {
    @Override
    protected String providerName() {
        return "mmap";
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void closingUnmapsAtOnce() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 5_000_000);
        WritableFile active = manager.create("active", content.length);
        active.write(0, content, 0, content.length);
        active.truncate(1_000_000);
        active.write(1_000_000, content, 0, 3_000_000);
        assertThat(mappingsOf("active")).isPositive();
        active.close();
        assertThat(mappingsOf("active")).isZero();

        ReadableFile sealed = manager.open("active");
        assertThat(sealed.isMapped()).isTrue();
        assertThat(read(sealed, 1_000_000, 10)).isEqualTo(Arrays.copyOf(content, 10));
        assertThat(mappingsOf("active")).isEqualTo(1);
        manager.delete("active");
        assertThat(read(sealed, 1_000_000, 10)).isEqualTo(Arrays.copyOf(content, 10));
        sealed.close();
        assertThat(mappingsOf("active")).isZero();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void sealedFileHoldsNoDescriptor() throws IOException {
        IoManager manager = manager("d");
        store(manager, "a", bytes(1, 100));
        long before = descriptors();
        try (ReadableFile file = manager.open("a")) {
            assertThat(file.length()).isEqualTo(100);
            assertThat(descriptors()).isEqualTo(before);
        }
    }

    /** Every operation meets windows that another thread has made, or is making. */
    @Test
    void windowsMadeAheadChangeNothing() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 6_000_000);
        int piece = 1_000;
        try (WritableFile file = manager.create("a", content.length)) {
            for (int offset = 0; offset < 3_500_000; offset += piece) {
                file.write(offset, content, offset, piece);
            }
            assertThat(Files.size(root().resolve("d/a"))).isGreaterThan(3_500_000);
            file.truncate(1_500_000);
            file.reserve(2_000_000);
            for (int offset = 1_500_000; offset < 4_500_000; offset += piece) {
                file.write(offset, content, offset, piece);
                if (offset % 500_000 == 0) {
                    file.force();
                }
            }
            manager.close(); // ends the other thread, but no file
            for (int offset = 4_500_000; offset < content.length; offset += piece) {
                file.write(offset, content, offset, piece);
            }
            assertThat(read(file, 0, content.length)).isEqualTo(content);
        }
        assertThat(Files.readAllBytes(root().resolve("d/a"))).isEqualTo(content);
    }

    /** Compiled code raises a fault late, in whatever the thread does next: it must be ours all the same. */
    @Test
    void faultIsRaisedWhereItHappened() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 1_000_000);
        Arrays.fill(content, 0, 500_000, (byte) 0xA7); // the mark by which a failed copy is known, and its complement
        Arrays.fill(content, 250_000, 500_000, (byte) 0x58);
        store(manager, "a", content);
        byte[] target = new byte[144];
        try (ReadableFile file = manager.open("a")) {
            for (int i = 0; i < 200_000; i++) {
                int offset = i * 4;
                assertThat(file.read(offset, target, 0, 144)).isEqualTo(144);
                if (!Arrays.equals(target, 0, 144, content, offset, offset + 144)) {
                    throw new AssertionError("offset=" + offset);
                }
            }
            try (FileChannel channel = FileChannel.open(root().resolve("d/a"), StandardOpenOption.WRITE)) {
                channel.truncate(100_000);
            }
            for (int i = 0; i < 20_000; i++) {
                assertThat(outcome(file, 200_000 + i * 4, target)).isEqualTo("error");
            }
            assertThat(file.read(0, target, 0, 144)).isEqualTo(144);
        }
    }

    /** Few bytes are loaded one by one by the JDK, and a load that faults gives what its register held. */
    @Test
    void fewBytesBehindTheEndAreAnErrorInTheCallThatReadThem() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 100_000);
        int cut = 40_960;
        for (int length = 1; length <= 20; length++) {
            store(manager, "a" + length, content);
            byte[] target = new byte[length];
            try (ReadableFile file = manager.open("a" + length)) {
                for (int i = 0; i < 20_000; i++) {
                    int offset = i * 5 + Math.min(0, content.length - i * 5 - length);
                    assertThat(file.read(offset, target, 0, length)).isEqualTo(length);
                    if (!Arrays.equals(target, 0, length, content, offset, offset + length)) {
                        throw new AssertionError("offset=" + offset + ", length=" + length);
                    }
                }
                try (FileChannel channel = FileChannel.open(root().resolve("d/a" + length), StandardOpenOption.WRITE)) {
                    channel.truncate(cut);
                }
                for (int i = 0; i < 2_000; i++) {
                    assertThat(outcome(file, cut - length + 1 + i, target))
                            .as("length=%d, offset=%d", length, cut - length + 1 + i)
                            .isEqualTo("error");
                }
                assertThat(outcome(file, content.length - length, target)).isEqualTo("error");
                for (int offset = cut - 100; offset <= cut - length; offset++) {
                    assertThat(file.read(offset, target, 0, length)).isEqualTo(length);
                    assertThat(target).isEqualTo(Arrays.copyOfRange(content, offset, offset + length));
                }
            }
        }
    }

    /** The rest of the page where a file was cut reads as zeros, without a fault. */
    @Test
    void bytesInThePageWhereTheFileWasCutAreErrorsToo() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 20_000);
        for (int i = 0; i < content.length; i++) {
            content[i] |= 1;
        }
        for (int cut : new int[] {1, 4_095, 4_097, 10_000, 16_384, 16_385, 19_990}) {
            for (int length = 1; length < 8; length++) {
                store(manager, "a", content);
                byte[] target = new byte[length];
                try (ReadableFile file = manager.open("a")) {
                    try (FileChannel channel = FileChannel.open(root().resolve("d/a"), StandardOpenOption.WRITE)) {
                        channel.truncate(cut);
                    }
                    for (int offset = Math.max(cut - length + 1, 0);
                            offset <= content.length - length;
                            offset += 1 + offset / 50) {
                        assertThat(outcome(file, offset, target))
                                .as("cut=%d, offset=%d, length=%d", cut, offset, length)
                                .isEqualTo("error");
                    }
                    if (cut >= length) {
                        assertThat(file.read(cut - length, target, 0, length)).isEqualTo(length);
                        assertThat(target).isEqualTo(Arrays.copyOfRange(content, cut - length, cut));
                    }
                }
                manager.delete("a");
            }
        }
    }

    @Test
    void zerosThatAreThereAreRead() throws IOException {
        IoManager manager = manager("d");
        for (int length : new int[] {8, 100, 4_096, 10_000, 12_288}) {
            store(manager, "a", new byte[length]);
            try (ReadableFile file = manager.open("a")) {
                for (int round = 0; round < 2; round++) {
                    for (int offset = 0; offset < length; offset += 97) {
                        assertThat(read(file, offset, 50)).isEqualTo(new byte[Math.min(50, length - offset)]);
                    }
                    if (round == 0) {
                        manager.delete("a");
                    }
                }
            }
        }
    }

    @Test
    void writesOfAnyLengthIntoACutFileAreErrors() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 400_000);
        for (int length = 1; length <= 20; length++) {
            try (WritableFile file = manager.create("a" + length, content.length)) {
                for (int offset = 0; offset < 200_000; offset += length) {
                    file.write(offset, content, offset, length);
                }
                try (FileChannel channel = FileChannel.open(root().resolve("d/a" + length), StandardOpenOption.WRITE)) {
                    channel.truncate(40_960);
                }
                for (int i = 0; i < 500; i++) {
                    int offset = 50_000 + i;
                    int count = length;
                    assertThatThrownBy(() -> file.write(offset, content, offset, count))
                            .as("length=%d, offset=%d", count, offset)
                            .isInstanceOf(IOException.class);
                }
            }
        }
    }

    @Test
    void filesOfFewBytesAreReadAndWritten() throws IOException {
        IoManager manager = manager("d");
        for (int length = 0; length <= 20; length++) {
            byte[] content = bytes(length, 40);
            store(manager, "a" + length, Arrays.copyOf(content, length));
            try (ReadableFile file = manager.open("a" + length)) {
                for (int offset = 0; offset <= length; offset++) {
                    assertThat(read(file, offset, 40)).isEqualTo(Arrays.copyOfRange(content, offset, length));
                }
            }
            try (WritableFile file = manager.openWritable("a" + length)) {
                assertThat(read(file, 0, 40)).isEqualTo(Arrays.copyOf(content, length));
                file.write(length, content, length, 1);
                assertThat(read(file, 0, 40)).isEqualTo(Arrays.copyOf(content, length + 1));
            }
        }
    }

    private static String outcome(ReadableFile file, long offset, byte[] target) {
        try {
            return "read " + file.read(offset, target, 0, target.length);
        } catch (IOException e) {
            return "error";
        }
    }

    @Test
    void smallFilesStayCheap() throws IOException {
        IoManager manager = manager("d");
        try (WritableFile file = manager.create("a", 400)) {
            file.write(0, bytes(1, 400), 0, 400);
            assertThat(Files.size(root().resolve("d/a"))).isEqualTo(4096);
        }
        assertThat(Files.size(root().resolve("d/a"))).isEqualTo(400);
    }

    @Test
    void spaceAheadIsReallyWritten() throws IOException {
        IoManager manager = manager("d");
        Path path = root().resolve("d/a");
        try (WritableFile file = manager.create("a", 1 << 20)) {
            file.write(0, new byte[1], 0, 1);
            file.force();
            assertThat(Files.size(path)).isEqualTo(16 << 10);
            file.write(1, new byte[(1 << 20) - 100], 0, (1 << 20) - 100);
            assertThat(Files.size(path)).isEqualTo(1 << 20);
            if (Files.getFileStore(path).supportsFileAttributeView("unix")) {
                assertThat(blocks(path)).isGreaterThanOrEqualTo((1 << 20) / 512);
            }
        }
    }

    private static long blocks(Path path) throws IOException {
        Process process = new ProcessBuilder("stat", "-c", "%b", path.toString()).start();
        return Long.parseLong(new String(process.getInputStream().readAllBytes()).strip());
    }

    private long mappingsOf(String name) throws IOException {
        String path = root().toRealPath().resolve("d").resolve(name).toString();
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(path)).count();
        }
    }
}
