package dev.caskwright.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.testkit.PlainIoManager.Defect;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Does the contract of IO managers bite? Every defect of {@link PlainIoManager} is convicted by the test that it names. */
@EnabledOnOs(OS.LINUX)
final class ConvictedIoManagersTest {
    /** What only root can be shown: these tests mount a file system. */
    private static final Set<String> MOUNTING = Set.of("whatWasForcedIsOnTheDevice", "fullDiskIsItsOwnErrorAndPasses");

    private static volatile Defect planted = Defect.NONE;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void everyDefectIsConvicted(Defect defect) {
        assumeTrue(
                !MOUNTING.contains(defect.test)
                        || System.getProperty("user.name").equals("root"),
                "NOT PROVED: only root can mount a file system");
        planted = defect;
        Conviction.assertConvicted(Contract.class, defect.test, defect);
    }

    /** Proves that the contract can be kept. */
    @Nested
    final class Sound extends IoManagerContract {
        @Override
        protected IoManager openManager(Path directory, boolean create) throws IOException {
            return new PlainIoManager(directory, create, Defect.NONE);
        }
    }

    static final class Contract extends FileSystemIoManagerContract {
        @Override
        protected String providerName() {
            return "plain";
        }

        @Override
        protected IoManager openManager(Path directory, boolean create) throws IOException {
            return new PlainIoManager(directory, create, planted);
        }
    }
}
