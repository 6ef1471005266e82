package dev.caskwright.index.offheap;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs {@link #main} in a JVM of its own, whose home, working and temporary directories are new. */
final class ChildJvm {
    static final List<String> FLAGS = List.of(
            "--add-opens java.base/java.lang=ALL-UNNAMED",
            "--add-opens java.base/java.lang.reflect=ALL-UNNAMED",
            "--add-exports jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED");

    private ChildJvm() {}

    record Result(int exitCode, String output, List<Path> files) {}

    /** Starts a JVM with some flags, and returns what it left behind. */
    static Result run(Path directory, List<String> flags) throws IOException, InterruptedException {
        Path home = Files.createDirectories(directory.resolve("home"));
        Path work = Files.createDirectories(directory.resolve("work"));
        Path temporary = Files.createDirectories(directory.resolve("tmp"));
        Path output = directory.resolve("output");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : flags) {
            command.addAll(List.of(flag.split(" ")));
        }
        command.addAll(List.of(
                "-Duser.home=" + home,
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                ChildJvm.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).directory(work.toFile());
        builder.environment().put("HOME", home.toString());
        builder.redirectErrorStream(true).redirectOutput(output.toFile());
        Process process = builder.start();
        if (!process.waitFor(1, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IOException("the JVM did not end: " + Files.readString(output));
        }
        List<Path> files = new ArrayList<>();
        for (Path each : List.of(home, work, temporary)) {
            try (var left = Files.walk(each)) {
                left.filter(path -> !path.equals(each)).forEach(files::add);
            }
        }
        return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8), files);
    }

    /** Fills an index and reads it, through growth. */
    public static void main(String[] arguments) throws IOException {
        KeyIndexContext context = new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> true);
        try (KeyIndex index = Backends.keyIndex("offheap").open(context)) {
            int count = 50_000;
            for (int i = 0; i < count; i++) {
                index.put(ByteBuffer.allocate(8).putLong(i).array(), 0, 8, i + 1);
            }
            for (int i = 0; i < count; i++) {
                if (index.get(ByteBuffer.allocate(8).putLong(i).array(), 0, 8) != i + 1) {
                    throw new IllegalStateException("lost: key=" + i);
                }
            }
            System.out.println("analytics disabled: " + System.getProperty("chronicle.analytics.disable"));
            System.out.println("keys: " + index.size());
        }
    }
}
