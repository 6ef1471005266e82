package dev.caskwright.bitcask.store;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordScanner;
import java.io.IOException;

/**
 * Finds out whether anything that the index refers to lies in the damaged parts of a file.
 *
 * <p>It adds up the records that are sound and current, and compares the sum with the file's live bytes. Beside writers both
 * get smaller. So the sum lies between what was current and sound when it was begun and when it was done: if it reaches the
 * live bytes from before, nothing is missing; if it does not reach those from after, something is. In between, it is tried
 * again.
 */
public final class DamageCheck {
    private static final int ATTEMPTS = 16;

    private final Store store;
    private final LogSegment file;
    private final RecordLog log;
    private long sum;
    private long passedOver;

    private DamageCheck(Store store, LogSegment file) {
        this.store = store;
        this.file = file;
        this.log = store.log;
    }

    /**
     * Returns how many bytes of a file are damaged if the index refers to nothing in them. A caller that has met more has met
     * damage that comes and goes. The caller keeps the file from being removed, and does not hold the write lock.
     *
     * @throws CorruptRecordException {@code damage} if the index refers to something in them, or that is not known
     */
    public static long deadBytes(Store store, LogSegment file, CorruptRecordException damage) throws IOException {
        DamageCheck check = new DamageCheck(store, file);
        if (!check.isDead()) {
            throw damage;
        }
        return check.passedOver;
    }

    /** Returns whether a record of a file is damaged. */
    public static boolean isDamaged(RecordLog log, LogSegment file) throws IOException {
        RecordScanner scanner = log.scan(file, file.length());
        try {
            while (scanner.next()) {
                // Reading is the point.
            }
            return false;
        } catch (CorruptRecordException e) {
            return true;
        }
    }

    private boolean isDead() throws IOException {
        for (int i = 0; i < ATTEMPTS; i++) {
            long before;
            long length;
            store.writeLock.lock(); // or a record could be counted and not indexed yet
            try {
                store.checkOpen();
                before = file.liveBytes();
                length = file.length();
            } finally {
                store.writeLock.unlock();
            }
            addUp(length);
            if (sum == before) {
                return true;
            }
            if (sum > before || sum < liveBytes()) {
                return false;
            }
        }
        return false;
    }

    private long liveBytes() {
        store.writeLock.lock();
        try {
            return file.liveBytes();
        } finally {
            store.writeLock.unlock();
        }
    }

    private void addUp(long length) throws IOException {
        sum = 0;
        passedOver = 0;
        RecordScanner scanner = log.scan(file, length);
        for (boolean more = true; more; ) {
            Session session = store.enter();
            try {
                store.checkOpen();
                more = addNext(scanner);
            } finally {
                store.exit(session);
            }
        }
    }

    /** Adds the next records that lie in the scanner's buffer together; returns whether there may be more. */
    private boolean addNext(RecordScanner scanner) throws IOException {
        try {
            if (!scanner.next()) {
                return false;
            }
        } catch (CorruptRecordException e) {
            passedOver += scanner.skipDamage();
            return true;
        }
        do {
            if (scanner.isPut()
                    && store.index.get(scanner.buffer(), scanner.keyOffset(), scanner.keyLength())
                            == scanner.locator()) {
                sum += scanner.liveBytes();
            }
        } while (scanner.nextInBuffer());
        return true;
    }
}
