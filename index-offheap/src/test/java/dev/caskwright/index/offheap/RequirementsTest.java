package dev.caskwright.index.offheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In JVMs of their own: what Chronicle Map asks for and what it leaves behind. */
@Tag("slow") // starts a JVM for each
final class RequirementsTest {
    @TempDir
    private Path directory;

    @Test
    void nothingIsWrittenToAnyDirectory() throws Exception {
        ChildJvm.Result result = ChildJvm.run(directory, ChildJvm.FLAGS);
        assertThat(result.exitCode()).as(result.output()).isZero();
        assertThat(result.output()).contains("keys: 50000").contains("analytics disabled: true");
        assertThat(result.files()).isEmpty();
    }

    @Test
    void theLibraryThatSendsAnalyticsIsNotThere() {
        assertThatThrownBy(() -> Class.forName("net.openhft.chronicle.analytics.Analytics"))
                .isInstanceOf(ClassNotFoundException.class);
    }

    @Test
    void withoutFlagsTheErrorNamesThemAll() throws Exception {
        ChildJvm.Result result = ChildJvm.run(directory, List.of());
        assertThat(result.exitCode()).isNotZero();
        assertThat(result.output())
                .contains("IllegalStateException")
                .contains("start java with: " + String.join(" ", ChildJvm.FLAGS));
    }

    @Test
    void withoutOneFlagTheErrorNamesThatOne() throws Exception {
        for (String missing : ChildJvm.FLAGS) {
            List<String> others = new ArrayList<>(ChildJvm.FLAGS);
            others.remove(missing);
            ChildJvm.Result result = ChildJvm.run(directory.resolve("without-" + others.hashCode()), others);
            assertThat(result.exitCode()).isNotZero();
            assertThat(result.output())
                    .contains("start java with: " + missing)
                    .doesNotContain(others.get(0))
                    .doesNotContain(others.get(1));
        }
    }
}
