package dev.caskwright.api.spi.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Reads tables as Linux writes them. Real mounts are tested where the commands are. */
@EnabledOnOs({OS.LINUX, OS.MAC})
final class MountsTest {
    private static final String TABLE = """
            1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            2 1 8:1 /data/store/sub /mnt/sub rw - ext4 /dev/sda1 rw
            3 1 8:2 / /mnt/disk rw - xfs /dev/sdb rw
            4 1 8:2 /a\\040b\\134c /mnt/two\\040words rw - xfs /dev/sdb rw
            5 1 0:4 net:[4026531840] /run/netns/x rw - nsfs nsfs rw
            6 1 8:2 /under /hidden/by rw - xfs /dev/sdb rw
            7 1 8:3 / /hidden rw - xfs /dev/sdc rw
            8 7 8:2 /over /hidden rw - xfs /dev/sdb rw
            broken
            """;

    private static Path[] paths(String... names) {
        Path[] paths = new Path[names.length];
        for (int i = 0; i < names.length; i++) {
            paths[i] = Path.of(names[i]);
        }
        return paths;
    }

    private static Path[] names(String path) {
        return names(Mounts.parse(TABLE), path);
    }

    private static Path[] names(Mounts mounts, String path) {
        return mounts.names(Path.of(path)).stream().map(Mounts.Name::path).toArray(Path[]::new);
    }

    @Test
    void whatIsMountedTwiceHasTwoNames() {
        assertThat(names("/mnt/sub/new/store")).contains(paths("/data/store/sub/new/store"));
        assertThat(names("/data/store/sub/new")).contains(paths("/mnt/sub/new"));
        assertThat(names("/mnt/two words/x")).contains(paths("/mnt/disk/a b\\c/x"));
        assertThat(names("/data/store")).containsOnly(paths("/data/store"));
    }

    /** The topmost of two mounts counts, and one below a later mount is not seen. */
    @Test
    void aMountHidesWhatIsBehindIt() {
        assertThat(names("/hidden/by/x"))
                .contains(paths("/mnt/disk/over/by/x"))
                .doesNotContain(paths("/mnt/disk/under/x"));
    }

    @Test
    void withoutATableEachHasItsName() {
        assertThat(names(Mounts.parse(""), "/a/b")).containsExactly(Path.of("/a/b"));
    }

    /** Linux escapes no carriage return, and other systems that show such a table may escape nothing. */
    @Test
    void oddNamesAreRead() {
        String table = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                + "2 1 8:1 /data /mnt/a\rb rw - ext4 /dev/sda1 rw\n"
                + "3 1 8:1 /more /mnt/a\\9\\ rw - ext4 /dev/sda1 rw\n"
                + "4 1 8:1 /most /mnt/\\134 rw - ext4 /dev/sda1 rw\n";
        Mounts mounts = Mounts.parse(table);
        assertThat(names(mounts, "/data/x")).contains(Path.of("/mnt/a\rb/x"));
        assertThat(names(mounts, "/mnt/a\\9\\/x")).contains(Path.of("/more/x"));
        assertThat(names(mounts, "/most")).contains(Path.of("/mnt/\\"));
    }
}
