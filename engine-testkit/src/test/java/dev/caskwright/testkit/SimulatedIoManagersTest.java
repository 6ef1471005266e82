package dev.caskwright.testkit;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.IoManagerFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;

/** As long as nothing crashes or fails, the simulated managers are managers like any other. */
final class SimulatedIoManagersTest {
    @Nested
    final class Crashable extends Contract {
        Crashable() {
            super(new CrashableIoManager().factory(Path.of("home")));
        }
    }

    @Nested
    final class MappedCrashable extends Contract {
        MappedCrashable() {
            super(new CrashableIoManager().mapped(true).factory(Path.of("home")));
        }
    }

    @Nested
    final class Faulty extends Contract {
        Faulty() {
            super(FaultPlan.counting().wrap(new CrashableIoManager().factory(Path.of("home"))));
        }
    }

    private abstract static class Contract extends IoManagerContract {
        private final IoManagerFactory factory;

        Contract(IoManagerFactory factory) {
            this.factory = factory;
        }

        @Override
        protected IoManager openManager(Path directory, boolean create) throws IOException {
            if (Files.isRegularFile(directory)) {
                throw new NotDirectoryException(directory.toString()); // a simulated disk knows no real files
            }
            return factory.open(directory, create);
        }
    }
}
