package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.lang.reflect.Method;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Runs one test of a contract as a build would, and says whether it convicts. */
final class Conviction {
    /** How often a test is run that has not failed: a defect that only races show may be missed once on a busy machine. */
    private static final int MAX_ATTEMPTS = 20;

    private Conviction() {}

    /** Fails unless the named test fails for what the contract's fixture makes. */
    static void assertConvicted(Class<?> contract, String test, Object defect) {
        TestExecutionSummary summary = run(contract, test);
        for (int attempt = 1; attempt < MAX_ATTEMPTS && summary.getTestsFailedCount() == 0; attempt++) {
            summary = run(contract, test);
        }
        assertThat(summary.getTestsFailedCount())
                .as("%s is convicted by %s", defect, test)
                .isPositive();
        summary.getFailures()
                .forEach(failure -> assertThat(failure.getException())
                        .as("%s is convicted, and does not just break the test", defect)
                        .isNotInstanceOf(LinkageError.class));
    }

    /** Fails unless the named test passes, and was run. */
    static void assertAcquitted(Class<?> contract, String test) {
        TestExecutionSummary summary = run(contract, test);
        summary.getFailures().forEach(failure -> {
            throw new AssertionError(test + " convicts what is sound", failure.getException());
        });
        assertThat(summary.getTestsSucceededCount()).as(test).isPositive();
    }

    private static TestExecutionSummary run(Class<?> contract, String test) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        Method method = method(contract, test);
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectMethod(contract, method.getName(), method.getParameterTypes()))
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        assertThat(summary.getTestsFoundCount()).as(test).isPositive();
        return summary;
    }

    private static Method method(Class<?> contract, String name) {
        for (Class<?> type = contract; type != null; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name)) {
                    return method;
                }
            }
        }
        for (Method method : contract.getMethods()) { // of the contract of a facet, which is an interface
            if (method.getName().equals(name)) {
                return method;
            }
        }
        throw new AssertionError("no test " + name + " in " + contract);
    }
}
