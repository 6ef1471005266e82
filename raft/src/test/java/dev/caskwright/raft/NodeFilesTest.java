package dev.caskwright.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The directory of a node: whose it is, and the swap of stores, crashed before each of its steps. */
final class NodeFilesTest {
    private static final UUID GROUP = UUID.nameUUIDFromBytes(new byte[] {1});

    @TempDir
    Path directory;

    @Test
    void aDirectoryStaysThatOfItsMember() throws IOException {
        files(directory).claim(GROUP, "n1").close();
        files(directory).claim(GROUP, "n1").close();
        assertThatThrownBy(() -> files(directory).claim(GROUP, "n2"))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("belongs to another member")
                .hasMessageContaining("n1");
        UUID other = UUID.nameUUIDFromBytes(new byte[] {2});
        assertThatThrownBy(() -> files(directory).claim(other, "n1"))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining(GROUP.toString())
                .hasMessageContaining(other.toString());
    }

    @Test
    void aDirectoryWithSomethingElseIsRefusedAndLeftAlone() throws IOException {
        Path foreign = directory.resolve("notes.txt");
        Files.writeString(foreign, "mine");
        assertThatThrownBy(() -> files(directory).claim(GROUP, "n1"))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("not empty");
        assertThat(Files.list(directory)).containsExactly(foreign);
        assertThat(foreign).hasContent("mine");
    }

    @Test
    void aClaimThatWasCutShortCanBeRepeated() throws IOException {
        Files.writeString(directory.resolve("member.new"), "format=1\ngro");
        files(directory).claim(GROUP, "n1").close();
        files(directory).claim(GROUP, "n1").close();
    }

    @Test
    void aSwapThatCrashesAnywhereEndsWithTheNewStore() throws IOException {
        List<String> steps = new ArrayList<>();
        swap(directory.resolve("whole"), steps, Integer.MAX_VALUE);
        assertThat(steps)
                .containsExactly("complete", "store to old", "incoming to store", "remove complete", "delete old");
        for (int crash = 0; crash < steps.size(); crash++) {
            Path place = directory.resolve("crash" + crash);
            swap(place, new ArrayList<>(), crash);
            NodeFiles again = files(place);
            boolean isBeforeMark = crash == 0;
            again.finishSwap();
            assertThat(again.store().resolve("what"))
                    .describedAs("crashed before: %s", steps.get(crash))
                    .hasContent(isBeforeMark ? "old" : "new");
            assertThat(place.resolve("old")).doesNotExist();
            assertThat(place.resolve("complete")).doesNotExist();
        }
    }

    @Test
    void aSwapThatCrashesTwiceEndsWithTheNewStore() throws IOException {
        for (int first = 1; first < 5; first++) {
            for (int second = 0; second < 4; second++) {
                Path place = directory.resolve(first + "-" + second);
                swap(place, new ArrayList<>(), first);
                int[] left = {second};
                NodeFiles crashing = new NodeFiles(place, step -> {
                    if (left[0]-- == 0) {
                        throw new Crash();
                    }
                });
                try {
                    crashing.finishSwap();
                } catch (Crash e) {
                    // goes on below
                }
                files(place).finishSwap();
                assertThat(place.resolve("store/what"))
                        .describedAs("crashed before step %d, then before step %d of what was left", first, second)
                        .hasContent("new");
            }
        }
    }

    @Test
    void aStoreThatIsMissingBesideAnOldOneIsNotReplacedByAnEmptyOne() throws IOException {
        Files.createDirectories(directory.resolve("old"));
        assertThatThrownBy(() -> files(directory).finishSwap())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the store is missing");
        assertThat(directory.resolve("old")).exists();
    }

    private static void swap(Path place, List<String> steps, int crashBefore) throws IOException {
        NodeFiles files = new NodeFiles(place, step -> {
            if (steps.size() == crashBefore) {
                throw new Crash();
            }
            steps.add(step);
        });
        fill(files.store(), "old");
        fill(files.incoming(), "new");
        try {
            files.markComplete();
            assertThat(files.isComplete()).isTrue();
            files.finishSwap();
        } catch (Crash e) {
            assertThat(steps).hasSize(crashBefore);
        }
    }

    private static void fill(Path store, String content) throws IOException {
        Files.createDirectories(store);
        Files.writeString(store.resolve("what"), content);
    }

    private static NodeFiles files(Path place) {
        return new NodeFiles(place, step -> {});
    }

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
