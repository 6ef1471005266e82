package dev.caskwright.testkit;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Does the engine contract bite? Every defect of {@link MapEngine} is convicted by the test that it names. Without a defect
 * the same engine passes the whole contract, as {@link MapEngineTest} shows.
 */
final class ConvictedEnginesTest {
    private static volatile Defect planted = Defect.NONE;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void everyDefectIsConvicted(Defect defect) {
        planted = defect;
        Conviction.assertConvicted(Contract.class, defect.test, defect);
    }

    static final class Contract extends StorageEngineContract implements AllFacets {
        @Override
        public StorageEngine open(Path directory, InstantSource clock) throws IOException {
            return new MapEngine(directory, clock, planted);
        }
    }
}
