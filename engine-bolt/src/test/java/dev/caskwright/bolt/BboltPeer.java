package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The program {@code src/test/go/peer} over a real bbolt, or the original Bolt; built when a test first asks for it. */
final class BboltPeer {
    private static final String LIBRARIES = "/usr/share/gocode"; // where Debian's packages have the sources

    private final Path program;

    private BboltPeer(Path program) {
        this.program = program;
    }

    /** Builds the program; the test that asks is skipped, and says so, where Go or bbolt's sources are not installed. */
    static BboltPeer build() throws IOException, InterruptedException {
        return build("bbolt-peer", "go.etcd.io/bbolt", "golang-github-coreos-bbolt-dev", "");
    }

    /** Builds the program over the original Bolt. */
    static BboltPeer buildOriginal() throws IOException, InterruptedException {
        return build("bolt-peer", "github.com/boltdb/bolt", "golang-github-boltdb-bolt-dev", "original");
    }

    private static synchronized BboltPeer build(String name, String library, String debian, String tag)
            throws IOException, InterruptedException {
        Path target = Path.of("target", name).toAbsolutePath();
        if (!Files.exists(Path.of(LIBRARIES, "src", library))) {
            String missing = "SKIPPED: no real " + library + " to test against; install golang-go and " + debian;
            System.err.println(missing);
            Assumptions.abort(missing);
        }
        if (!Files.exists(target)) {
            ProcessBuilder go = new ProcessBuilder("go", "build", "-tags", tag, "-o", target.toString(), ".");
            go.directory(Path.of("src", "test", "go", "peer").toFile());
            go.environment().put("GO111MODULE", "off");
            go.environment().put("GOPATH", LIBRARIES);
            go.environment().put("GOFLAGS", "");
            go.environment()
                    .putIfAbsent(
                            "GOCACHE",
                            Path.of("target", "go-cache").toAbsolutePath().toString());
            Process build = go.redirectErrorStream(true).start();
            String output = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(build.waitFor()).as(output).isZero();
        }
        return new BboltPeer(target);
    }

    private record Result(int exit, String output) {}

    private Result run(String command, Path file, String input) throws IOException, InterruptedException {
        Path in = Files.createTempFile("peer", ".in");
        try {
            Files.writeString(in, input);
            Process process = new ProcessBuilder(program.toString(), command, file.toString())
                    .redirectInput(in.toFile())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } finally {
            Files.delete(in);
        }
    }

    /** Asserts that bbolt finds nothing wrong with a file. */
    void assertSound(Path file, String where) throws IOException, InterruptedException {
        Result result = run("check", file, "");
        assertThat(result.output()).as(where).isEqualTo("checked\n");
    }

    /** Returns everything in a file, as bbolt reads it. */
    String dump(Path file) throws IOException, InterruptedException {
        Result result = run("dump", file, "");
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    /** Has bbolt change a file; see the program for the commands. */
    void apply(Path file, List<String> commands) throws IOException, InterruptedException {
        Result result = run("apply", file, String.join("\n", commands) + "\n");
        assertThat(result.output()).isEqualTo("applied\n");
    }

    /** Returns whether bbolt can open a file for writing now. */
    boolean canOpen(Path file) throws IOException, InterruptedException {
        return run("try", file, "").output().equals("open\n");
    }

    /** Starts a bbolt that has the file open for writing until the process is ended. */
    Process hold(Path file) throws IOException {
        Process process = new ProcessBuilder(program.toString(), "hold", file.toString())
                .redirectErrorStream(true)
                .start();
        byte[] line = new byte["held\n".length()];
        int read = process.getInputStream().readNBytes(line, 0, line.length);
        assertThat(new String(line, 0, read, StandardCharsets.UTF_8)).isEqualTo("held\n");
        return process;
    }
}
