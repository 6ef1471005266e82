package dev.caskwright.testkit;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Nested;

/** As long as nothing crashes or fails, the simulated managers are managers like any other. */
final class SimulatedIoManagersTest {
    @Nested
    final class Crashable extends Contract {
        Crashable() {
            super(new CrashableIoManager(), factory -> factory);
        }
    }

    @Nested
    final class MappedCrashable extends Contract {
        MappedCrashable() {
            super(new CrashableIoManager().mapped(true), factory -> factory);
        }
    }

    @Nested
    final class Faulty extends Contract {
        Faulty() {
            super(new CrashableIoManager(), FaultPlan.counting()::wrap);
        }
    }

    @Nested
    final class Hooked extends Contract {
        Hooked() {
            super(new CrashableIoManager(), new Gate(call -> true)::wrap);
        }
    }

    private abstract static class Contract extends IoManagerContract {
        private final UnaryOperator<IoManagerFactory> wrapper;
        private CrashableIoManager disk;

        Contract(CrashableIoManager disk, UnaryOperator<IoManagerFactory> wrapper) {
            this.disk = disk;
            this.wrapper = wrapper;
        }

        @Override
        protected IoManager openManager(Path directory, boolean create) throws IOException {
            if (Files.isRegularFile(directory)) {
                throw new NotDirectoryException(directory.toString()); // a simulated disk knows no real files
            }
            return wrapper.apply(disk.factory(Path.of("home"))).open(directory, create);
        }

        @Override
        protected boolean cutPower() {
            disk = disk.powerLoss(0);
            return true;
        }
    }
}
