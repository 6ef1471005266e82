package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on files of etcd's kind. What a real server makes of such files is tested where the layer is. */
final class MvccCliTest {
    @TempDir
    Path directory;

    private record Result(int exit, String out, String err) {}

    private Result mvcc(String command, String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("mvcc", command, "--file", directory.resolve("db").toString()));
        arguments.addAll(List.of(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = new Shell(
                new ByteArrayInputStream(new byte[0]),
                out,
                new PrintStream(err, true, UTF_8),
                false,
                false,
                new EngineStores(),
                millis -> {});
        int exit = new Main(shell).run(arguments.toArray(new String[0]));
        return new Result(exit, out.toString(UTF_8), err.toString(UTF_8));
    }

    private String ok(String command, String... more) {
        Result result = mvcc(command, more);
        assertThat(result.err()).isEmpty();
        assertThat(result.exit()).isZero();
        return result.out();
    }

    @Test
    void aWordThatIsMissingOrANumberThatCannotBeIsAMistakeAndDeletesNothing() {
        ok("put", "cask:1", "oak");
        assertThat(mvcc("delete").exit()).isEqualTo(ExitCode.USAGE);
        for (String command : List.of("get", "range", "watch")) {
            Result result = mvcc(command, "cask:1", "--rev", "-5");
            assertThat(result.exit()).as(command).isEqualTo(ExitCode.USAGE);
            assertThat(result.err()).contains("--rev must not be negative: -5");
        }
        assertThat(mvcc("hash", "--rev", "-5").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(ok("range", "--count")).isEqualTo("1\n");
        assertThat(ok("delete", "--from-key", "")).startsWith("deleted=1,");
    }

    @Test
    void keysArePutReadAndDeletedAtTheirRevisions() {
        assertThat(ok("put", "cask:1", "oak")).isEqualTo("revision=2\n");
        assertThat(ok("put", "cask:2", "ash")).isEqualTo("revision=3\n");
        assertThat(ok("put", "cask:1", "elm")).isEqualTo("revision=4\n");
        assertThat(ok("get", "cask:1")).isEqualTo("elm\n");
        assertThat(ok("get", "cask:1", "--rev", "2")).isEqualTo("oak\n");
        assertThat(ok("range")).isEqualTo("cask:1 elm\ncask:2 ash\n");
        assertThat(ok("range", "cask:", "--prefix", "--descending", "--limit", "1"))
                .isEqualTo("cask:2 ash\n");
        assertThat(ok("range", "--count")).isEqualTo("2\n");
        assertThat(ok("range", "cask:1", "--long")).isEqualTo("cask:1 elm create=2, mod=4, version=2\n");
        assertThat(ok("range", "cask:1", "--to", "cask:2")).isEqualTo("cask:1 elm\n");
        assertThat(ok("delete", "cask:2")).isEqualTo("deleted=1, revision=5\n");
        assertThat(mvcc("delete", "cask:2").exit()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(mvcc("get", "cask:2").exit()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(ok("watch", "cask:", "--prefix"))
                .isEqualTo("2 PUT cask:1 oak\n3 PUT cask:2 ash\n4 PUT cask:1 elm\n5 DELETE cask:2\n");
        assertThat(ok("watch", "cask:1", "--rev", "3")).isEqualTo("4 PUT cask:1 elm\n");
    }

    @Test
    void aCompactionRefusesEarlierRevisions() {
        for (int i = 0; i < 5; i++) {
            ok("put", "key", "value" + i);
        }
        String hash = ok("hash");
        assertThat(hash).endsWith(", revision=6, compacted=-1\n");
        assertThat(ok("compact", "5", "--defragment")).isEqualTo("compacted=5, keys: 1 -> 1\n");
        assertThat(mvcc("get", "key", "--rev", "4").err()).contains("required revision has been compacted");
        assertThat(mvcc("compact", "4").err()).contains("required revision has been compacted");
        assertThat(mvcc("compact", "7").err()).contains("required revision is a future revision");
        assertThat(ok("get", "key", "--rev", "5")).isEqualTo("value3\n");
        assertThat(ok("watch")).isEqualTo("6 PUT key value4\n");
        assertThat(mvcc("watch", "--rev", "5").exit()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(ok("hash")).endsWith(", revision=6, compacted=5\n");
    }

    @Test
    void leasesAreGrantedListedAndRevokedWithTheirKeys() {
        String id = ok("lease", "grant", "100").strip();
        ok("put", "key", "value", "--lease", id);
        assertThat(ok("lease", "list")).isEqualTo(id + " 100\n");
        assertThat(ok("lease", "keys", id)).isEqualTo("key\n");
        assertThat(ok("lease", "revoke", id)).isEqualTo("deleted=1, revision=3\n");
        assertThat(mvcc("lease", "revoke", id).err()).contains("requested lease not found");
        assertThat(mvcc("put", "key", "value", "--lease", id).err()).contains("requested lease not found");
        assertThat(ok("lease", "list")).isEmpty();
    }

    @Test
    void wrongWordsAreToldAndChangeNothing() throws Exception {
        assertThat(mvcc("get", "key").exit()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(directory.resolve("db")).doesNotExist();
        ok("put", "key", "value");
        byte[] before = Files.readAllBytes(directory.resolve("db"));
        assertThat(mvcc("range", "a", "--prefix", "--from-key").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(mvcc("range", "--limit", "-1").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(mvcc("lease", "grant").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(mvcc("lease", "grant", "soon").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(mvcc("lease", "revoke", "xyz").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(mvcc("compact", "0").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(Files.readAllBytes(directory.resolve("db"))).isEqualTo(before);
        Files.write(directory.resolve("db"), new byte[9_000]);
        assertThat(mvcc("get", "key").exit()).isEqualTo(ExitCode.STORE_ERROR);
    }
}
