package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class WrapperContractTest {
    @Test
    void theForwardingClassesForwardEverything() {
        WrapperContract.assertForwardsEverything(IoManager.class, io -> new ForwardingIoManager(io) {});
        WrapperContract.assertForwardsEverything(ReadableFile.class, file -> new ForwardingReadableFile(file) {});
        WrapperContract.assertForwardsEverything(WritableFile.class, file -> new ForwardingWritableFile(file) {});
    }

    @Test
    void theWrappersOfTheFaultKitForwardEverything() {
        WrapperContract.assertForwardsEverything(
                IoManager.class, FaultPlan.counting()::wrap, "openPaged", "openPagedReadOnly", "copyTo");
        WrapperContract.assertForwardsEverything(
                IoManager.class, new Gate(call -> true)::wrap, "openPaged", "openPagedReadOnly");
        OddDisk odd = new OddDisk(1, OddDisk.Quirk.LIES_ABOUT_FORCES);
        odd.stop();
        WrapperContract.assertForwardsEverything(IoManager.class, odd::wrap, "openPaged", "openPagedReadOnly");
        ThrowingPlan plan = ThrowingPlan.counting();
        WrapperContract.assertForwardsEverything(
                PersistentKeyIndex.class, (UnaryOperator<PersistentKeyIndex>) plan::wrap);
        WrapperContract.assertForwardsEverything(OrderedKeyIndex.class, (UnaryOperator<OrderedKeyIndex>) plan::wrap);
    }

    @Test
    void aWrapperThatLeavesADefaultMethodOutIsConvicted() {
        assertThatThrownBy(() -> WrapperContract.assertForwardsEverything(IoManager.class, ForgetfulIoManager::new))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("createSequential");
        assertThatThrownBy(() -> WrapperContract.assertForwardsEverything(WritableFile.class, ForgetfulFile::new))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("endAccess");
        assertThatThrownBy(() ->
                        WrapperContract.assertForwardsEverything(IoManager.class, io -> new ForwardingIoManager(io) {
                            @Override
                            public WritableFile openWritable(String name) throws IOException {
                                return new ForgetfulFile(super.openWritable(name));
                            }
                        }))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("endAccess");
    }

    /** Does what a wrapper does that was written by hand before the method had a default implementation. */
    private static final class ForgetfulIoManager extends ForwardingIoManager {
        ForgetfulIoManager(IoManager delegate) {
            super(delegate);
        }

        @Override
        public WritableFile createSequential(String name, long expectedLength) throws IOException {
            return create(name, expectedLength);
        }
    }

    private static final class ForgetfulFile extends ForwardingWritableFile {
        ForgetfulFile(WritableFile delegate) {
            super(delegate);
        }

        @Override
        public void endAccess() {}
    }
}
