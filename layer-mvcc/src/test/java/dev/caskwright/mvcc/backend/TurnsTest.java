package dev.caskwright.mvcc.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/** Long reads give way to a writer that is at work all the time, by no more than they must, and to no other one. */
final class TurnsTest {
    private static final long WORK = 100_000; // nanoseconds between two looks

    private final ReentrantLock writing = new ReentrantLock();
    private long now;
    private long waited;
    private long longest;

    private Turns turns(int processors) {
        return new Turns(writing, processors, () -> now, nanos -> {
            now += nanos;
            waited += nanos;
            longest = Math.max(longest, nanos);
        });
    }

    private void work(Turns.Turn turn, int times) {
        for (int i = 0; i < times; i++) {
            now += WORK;
            turn.pass();
        }
    }

    @Test
    void nobodyWaitsWhileNoWriterIsAtWork() {
        work(turns(2).new Turn(), 10_000);
        assertThat(waited).isZero();
    }

    @Test
    void nobodyWaitsForAWriterThatIsSeldomAtWork() {
        Turns.Turn turn = turns(2).new Turn();
        for (int i = 0; i < 1_000; i++) {
            if (i % 10 == 0) {
                writing.lock();
            }
            work(turn, 1);
            if (writing.isHeldByCurrentThread()) {
                writing.unlock();
            }
        }
        assertThat(waited).isZero();
    }

    @Test
    void besideABusyWriterALongReadTakesAQuarterOfAProcessor() {
        writing.lock();
        work(turns(2).new Turn(), 1_000);
        assertThat((double) 1_000 * WORK / now).isBetween(0.24, 0.27);
    }

    @Test
    void besideABusyWriterAllReadsTogetherTakeThatQuarter() {
        writing.lock();
        Turns turns = turns(2);
        List<Turns.Turn> readers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            readers.add(turns.new Turn());
        }
        long[] times = new long[10]; // of each reader, beside the others
        for (int i = 0; i < 10_000; i++) {
            int first = 0;
            for (int reader = 1; reader < times.length; reader++) {
                first = times[reader] < times[first] ? reader : first;
            }
            now = times[first];
            work(readers.get(first), 1);
            times[first] = now;
        }
        assertThat((double) 10_000 * WORK / now).isBetween(0.23, 0.28);
    }

    @Test
    void withProcessorsToSpareNobodyWaits() {
        writing.lock();
        work(turns(4).new Turn(), 1_000);
        assertThat(waited).isZero();
    }

    @Test
    void noTurnIsWaitedForForLongHoweverManyReadThere() {
        writing.lock();
        Turns turns = turns(2);
        long start = now;
        for (int i = 0; i < 1_000; i++) {
            now = start; // all at the same time
            work(turns.new Turn(), 5);
        }
        assertThat(longest).isBetween(19_000_000L, 20_000_000L);
    }

    @Test
    void aReaderThatWasStoppedForLongIsChargedForItsWorkAlone() {
        writing.lock();
        Turns.Turn turn = turns(2).new Turn();
        work(turn, 20);
        waited = 0;
        now += 3_600_000_000_000L;
        turn.pass();
        work(turn, 1);
        assertThat(waited).isLessThan(10_000_000);
    }
}
