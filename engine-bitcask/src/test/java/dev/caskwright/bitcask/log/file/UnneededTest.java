package dev.caskwright.bitcask.log.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import org.junit.jupiter.api.Test;

/** A file that cannot be deleted is tried again with the next one, and one that is gone is not. */
final class UnneededTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final FaultPlan plan = FaultPlan.failing(0).only(IoOperation.DELETE).fromThenOn();

    private Unneeded withFiles(FaultPlan with) {
        for (String name : new String[] {"a", "b", "c"}) {
            disk.install(name, new byte[1]);
        }
        return new Unneeded(with.wrap(disk));
    }

    @Test
    void aFileIsDeletedOnce() throws Exception {
        FaultPlan counting = FaultPlan.counting().only(IoOperation.DELETE);
        Unneeded unneeded = withFiles(counting);
        unneeded.delete("a");
        assertThat(disk.list()).containsExactlyInAnyOrder("b", "c");
        unneeded.delete("c");
        assertThat(disk.list()).containsExactly("b");
        assertThat(counting.calls()).isEqualTo(2);
    }

    @Test
    void whatFailedIsTriedAgainWithTheNext() throws Exception {
        Unneeded unneeded = withFiles(plan);
        unneeded.delete("a");
        unneeded.delete("b");
        assertThat(disk.list()).contains("a", "b", "c");
        assertThat(plan.calls()).isEqualTo(3);
        plan.stop();
        unneeded.delete("c");
        assertThat(disk.list()).isEmpty();
        assertThat(plan.calls()).isEqualTo(6);
    }

    @Test
    void whatIsGoneThoughItsDeletionFailedIsNotTriedAgain() throws Exception {
        Unneeded unneeded = withFiles(plan.with(Fault.ERROR_AFTER_EFFECT));
        unneeded.delete("a");
        assertThat(disk.list()).containsExactlyInAnyOrder("b", "c");
        plan.stop();
        unneeded.delete("b");
        assertThat(disk.list()).containsExactly("c");
        assertThat(plan.calls()).isEqualTo(2);
    }

    /** Whether it is gone cannot be told then. */
    @Test
    void whereTheDirectoryCannotBeListedItIsTriedAgain() throws Exception {
        FaultPlan deaf = FaultPlan.failing(0)
                .only(IoOperation.DELETE, IoOperation.LIST)
                .with(Fault.ERROR_AFTER_EFFECT)
                .fromThenOn();
        Unneeded unneeded = withFiles(deaf);
        unneeded.delete("a");
        assertThat(deaf.calls()).isEqualTo(2);
        assertThat(disk.list()).containsExactlyInAnyOrder("b", "c");
        unneeded.delete("b");
        assertThat(deaf.calls()).as("both were tried, and looked for").isEqualTo(6);
        assertThat(disk.list()).containsExactly("c");
    }
}
