package dev.caskwright.api.spi.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Compares directories by tables of mounts that are not this machine's. Real mounts are tested where the commands are. */
@EnabledOnOs({OS.LINUX, OS.MAC})
final class DirectoriesTest {
    @TempDir
    private Path temporary;

    private Path home = Path.of("");

    @BeforeEach
    void findHome() throws IOException {
        home = temporary.toRealPath();
    }

    private boolean overlap(String one, String other, String... mounts) throws IOException {
        StringBuilder table = new StringBuilder("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
        for (int i = 0; i < mounts.length; i++) {
            table.append(i + 2).append(" 1 ").append(mounts[i]).append(" rw - fs fs rw\n");
        }
        Mounts parsed = Mounts.parse(table.toString());
        boolean is = Directories.overlap(home.resolve(one), home.resolve(other), parsed);
        assertThat(Directories.overlap(home.resolve(other), home.resolve(one), parsed))
                .isEqualTo(is);
        return is;
    }

    /** NFS: two directories that one server exports from one file system have one device, and each says that its root is /. */
    @Test
    void twoMountsOfOneDeviceMayBeDifferent() throws IOException {
        Files.createDirectories(home.resolve("one/store"));
        Files.createDirectories(home.resolve("two"));
        String[] mounts = {"0:52 / " + home.resolve("one"), "0:52 / " + home.resolve("two")};
        assertThat(overlap("one/store", "two/store", mounts)).isFalse();
        assertThat(overlap("one/store", "two/store/deeper", mounts)).isFalse();
        assertThat(overlap("one", "two", mounts)).isFalse();
        assertThat(overlap("one/store", "one/store/part", mounts)).isTrue();
        assertThat(overlap("two/new", "two", mounts)).isTrue();
    }

    /** The other name leads through what is no directory here, as it may through one that others may not enter. */
    @Test
    void aNameThatCannotBeLookedAtRefusesNoCopy() throws IOException {
        Files.createDirectories(home.resolve("one"));
        Files.writeString(home.resolve("file"), "");
        String mount = "8:1 " + home.resolve("file/deep") + " " + home.resolve("one");
        assertThat(overlap("one/new", "beside", mount)).isFalse();
        assertThat(overlap("one/new", "one", mount)).isTrue();
        assertThat(overlap("one/new", "file", mount)).as("by its name").isTrue();
    }

    @Test
    void aMissingPlaceInAMountIsAlsoInWhatIsMounted() throws IOException {
        Files.createDirectories(home.resolve("point"));
        String mount = "8:1 " + home.resolve("store/part") + " " + home.resolve("point");
        assertThat(overlap("point/new", "store", mount)).isTrue();
        assertThat(overlap("point/new", "store/other", mount)).isFalse();
    }
}
