package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.testkit.RecordLogContract;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Does the contract of record logs bite? A sound log is made to break one promise at a time, and the test that the defect
 * names convicts it.
 */
final class ConvictedRecordLogsTest {
    /** What is wrong: a method of the log, or of what it makes, that does something else. */
    enum Defect {
        SYNC_DOES_NOTHING("whatWasSyncedSurvivesAPowerLoss"),
        APPENDS_NOTHING_LONG("valuesOfAllLengthsAreKept"),
        TOMBSTONES_ARE_DROPPED("theStateSurvivesAReopening"),
        LOCATORS_REPEAT("locatorsAreDistinctAndNeverZero"),
        EXPIRY_IS_NOT_IN_THE_LOCATOR("locatorsTellWhetherRecordsExpire"),
        ORDER_IS_NOT_KNOWN("segmentsAreInTheOrderOfTheLog"),
        POSITION_STANDS_STILL("segmentsAreInTheOrderOfTheLog"),
        SEGMENTS_ARE_IN_ANY_ORDER("segmentsAreInTheOrderOfTheLog"),
        ACTIVE_IS_NEVER_LEFT("aLeftSegmentIsSealedAndStaysReadable"),
        SEALS_NOTHING("aLeftSegmentIsSealedAndStaysReadable"),
        DEAD_BYTES_ARE_NOT_COUNTED("liveAndDeadBytesAreCounted"),
        LIVE_BYTES_ARE_NOT_COUNTED("liveAndDeadBytesAreCounted"),
        FILTERS_DENY("aFilterNeverDeniesAKeyOfItsSegment"),
        WRITTEN_BYTES_ARE_NOT_COUNTED("aDraftTellsTheLengthOfItsRecord"),
        LAST_VERSION_IS_FORGOTTEN("theLastVersionOutlivesItsRecord"),
        SECRET_CHANGES("theSecretIsTheLogsOwnAndStays"),
        TORN_BYTES_ARE_NOT_TOLD("aTornTailIsCutAndReported"),
        REPLAY_SHOWS_NO_TOMBSTONES("aReplayVisitsEverything"),
        READER_TAKES_ANY_KEY("keysAreComparedWithoutReadingTheValue"),
        READER_RETURNS_DAMAGE("aRecordWhoseValueChangedIsNeverReturned"),
        CLOSES_ONCE("closingTwiceIsFine"),
        REMOVES_NOTHING("anOutputCanBeRemovedAgain"),
        MERGES_ARE_NOT_COMMITTED("aMergeReplacesItsInputsByItsOutputs");

        final String test;

        Defect(String test) {
            this.test = test;
        }
    }

    private static volatile Defect planted = Defect.SYNC_DOES_NOTHING;

    @ParameterizedTest
    @EnumSource
    void everyDefectIsConvicted(Defect defect) {
        planted = defect;
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        Method method = method(defect.test);
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectMethod(Contract.class, method.getName(), method.getParameterTypes()))
                                .build(),
                        listener);
        assertThat(listener.getSummary().getTestsFailedCount())
                .as("%s is convicted by %s", defect, defect.test)
                .isPositive();
    }

    private static Method method(String name) {
        for (Class<?> type = Contract.class; type != null; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name)) {
                    return method;
                }
            }
        }
        throw new AssertionError("no test " + name);
    }

    static final class Contract extends RecordLogContract {
        @Override
        protected RecordLogFactory factory() {
            return broken(RecordLogFactory.class, new SegmentedLogFactory());
        }
    }

    private static <T> T broken(Class<T> type, T sound) {
        return type.cast(Proxy.newProxyInstance(
                ConvictedRecordLogsTest.class.getClassLoader(), new Class<?>[] {type}, new Broken(sound)::invoke));
    }

    /** Forwards every call but the one that is broken. Remembers what the defect needs. */
    private static final class Broken {
        private final Object sound;
        private long firstLocator;
        private boolean isClosed;

        Broken(Object sound) {
            this.sound = sound;
        }

        Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            Defect defect = planted;
            switch (defect + " " + method.getName()) {
                case "SYNC_DOES_NOTHING sync",
                        "ACTIVE_IS_NEVER_LEFT leaveActive",
                        "SEALS_NOTHING sealLeft",
                        "DEAD_BYTES_ARE_NOT_COUNTED markDead",
                        "LIVE_BYTES_ARE_NOT_COUNTED markLive",
                        "REMOVES_NOTHING remove",
                        "MERGES_ARE_NOT_COMMITTED commit" -> {
                    return null;
                }
                case "EXPIRY_IS_NOT_IN_THE_LOCATOR expires", "ORDER_IS_NOT_KNOWN isAfter" -> {
                    return false;
                }
                case "READER_TAKES_ANY_KEY hasKey" -> {
                    return true;
                }
                case "POSITION_STANDS_STILL position",
                        "WRITTEN_BYTES_ARE_NOT_COUNTED writtenBytes",
                        "LAST_VERSION_IS_FORGOTTEN lastVersion",
                        "TORN_BYTES_ARE_NOT_TOLD tornBytesCut" -> {
                    return 0L;
                }
                case "SECRET_CHANGES secret" -> {
                    return System.nanoTime();
                }
                case "FILTERS_DENY keyFilter" -> {
                    return (KeyFilter) (key, offset, length) -> false;
                }
                default -> {
                    return forward(defect, method, arguments);
                }
            }
        }

        private Object forward(Defect defect, Method method, Object[] arguments) throws Throwable {
            if (defect == Defect.CLOSES_ONCE
                    && sound instanceof RecordLog
                    && method.getName().equals("close")) {
                if (isClosed) {
                    throw new IllegalStateException("closed before");
                }
                isClosed = true;
            }
            if (method.getName().equals("append") && arguments[0] instanceof RecordDraft draft) {
                shorten(defect, draft);
                if (defect == Defect.TOMBSTONES_ARE_DROPPED && draft.isTombstone() && firstLocator != 0) {
                    return firstLocator;
                }
            }
            if (defect == Defect.REPLAY_SHOWS_NO_TOMBSTONES && method.getName().equals("replay")) {
                RecordLogOpening.ReplayVisitor visitor = (RecordLogOpening.ReplayVisitor) arguments[1];
                arguments[1] = (RecordLogOpening.ReplayVisitor) (tombstone, locator, source, offset, length) -> {
                    if (!tombstone) {
                        visitor.visit(false, locator, source, offset, length);
                    }
                };
            }
            Object result;
            try {
                result = method.invoke(sound, arguments);
            } catch (InvocationTargetException e) {
                if (defect == Defect.READER_RETURNS_DAMAGE
                        && e.getCause() instanceof CorruptRecordException
                        && method.getName().equals("value")) {
                    return new byte[5];
                }
                throw e.getCause();
            }
            return wrapped(defect, method, result);
        }

        private static void shorten(Defect defect, RecordDraft draft) {
            if (defect == Defect.APPENDS_NOTHING_LONG && !draft.isTombstone() && draft.length() > 1 << 16) {
                draft.put(new byte[] {1}, new byte[0], 0);
            }
        }

        private Object wrapped(Defect defect, Method method, Object result) {
            if (result instanceof RecordLogOpening opening) {
                return broken(RecordLogOpening.class, opening);
            }
            if (result instanceof RecordLog log) {
                return broken(RecordLog.class, log);
            }
            if (result instanceof LogMerge merge) {
                return broken(LogMerge.class, merge);
            }
            if (result instanceof RecordReader reader) {
                return broken(RecordReader.class, reader);
            }
            if (defect == Defect.SEGMENTS_ARE_IN_ANY_ORDER && method.getName().equals("segments")) {
                List<Object> reversed = new ArrayList<>((List<?>) result);
                Collections.reverse(reversed);
                return reversed;
            }
            if (method.getName().equals("append")) {
                firstLocator = firstLocator == 0 ? (long) result : firstLocator;
                return defect == Defect.LOCATORS_REPEAT ? firstLocator : result;
            }
            return result;
        }
    }
}
