package dev.caskwright.testkit;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** The simplest index that keeps the contracts, a sorted map, which can be broken in one way at a time. */
final class BreakableKeyIndex implements OrderedKeyIndex, PersistentKeyIndex {
    /** What is wrong with the index, and the test that convicts it. */
    enum Defect {
        NONE(""),
        HASH_FOR_KEY("anIndexThatDoesNotHoldItsKeysComparesThem"),
        HASH_CODE_FOR_KEY("keysWithTheSameHashCodeAreDifferent"),
        IGNORES_TRAILING_ZEROS("keysThatDifferOnlyInTrailingZerosAreDifferent"),
        CUTS_LONG_KEYS("longKeysWithASharedPrefixAreDifferent"),
        REFUSES_LONG_KEYS("keysOfEveryLengthAreHeld"),
        KEEPS_THE_ARRAY("aKeyIsASliceThatIsNeitherKeptNorChanged"),
        LOCATORS_OF_56_BITS("everyBitOfALocatorIsKept"),
        FORGETS_THE_LOCATOR_BEFORE("putSetsTheLocatorAndReturnsTheOneBefore"),
        PUT_IF_ABSENT_OVERWRITES("putIfAbsentSetsOnlyAnAbsentKey"),
        REPLACE_COMPARES_NOTHING("replaceIsACompareAndSet"),
        REMOVE_COMPARES_NOTHING("removeIsACompareAndRemove"),
        CANDIDATE_MISSES("aCandidateIsNeverAbsentForAPresentKeyAndRarelyAnothers"),
        CANDIDATE_GUESSES("aCandidateIsNeverAbsentForAPresentKeyAndRarelyAnothers"),
        PREFETCH_PUTS("prefetchingChangesNothing"),
        CANDIDATES_GO_TOO_FAR("candidatesOfManyKeysAreTheCandidatesOfEach"),
        COUNTS_OVERWRITES("putSetsTheLocatorAndReturnsTheOneBefore"),
        TELLS_NO_MEMORY("growsToManyKeysAndCountsThem"),
        LIES_ABOUT_MEMORY("memoryIsWhatTheIndexSays"),
        LEAKS("whatIsRemovedOrReplacedTakesNoMemory"),
        LEAKS_WHEN_CLOSED("aClosedIndexHoldsNoMemory"),
        FAILS_AFTER_ENSURE_ROOM("roomForAnyNumberOfChangesIsThere"),
        FAILS_WHEN_FULL_AFTER_ENSURE_ROOM("anIndexThatIsFullRefusesRoomAndNotTheChangesItHasRoomFor"),
        NEVER_REFUSES("anIndexThatIsFullRefusesRoomAndNotTheChangesItHasRoomFor"),
        ONE_LOCK("readersTakeNoLockThatAWriterHolds"),
        REMOVES_BEFORE_IT_PUTS("readersBesideAWriterFindEveryStableKeyAndNeverAWrongLocator"),
        CLAIMS_CONCURRENT_WRITERS("concurrentPutIfAbsentHasOneWinner"),
        REPLACE_IS_NOT_ATOMIC("concurrentReplacesAreCounted"),
        CLOSES_ONCE("closingTwiceIsFine"),
        WORKS_AFTER_CLOSE("everyUseAfterCloseIsAnIllegalState"),
        ORDER_ENDS_AFTER_24_BYTES("keysAreComparedToTheirLastByte"),
        SIGNED_ORDER("keysAreComparedAsUnsignedBytesWithAPrefixFirst"),
        SCAN_HOLDS_THE_LOCK("aScanHoldsUpNoWriter"),
        SCAN_IGNORES_INCLUSIVE("aScanStartsAtOrBehindItsBound"),
        SCAN_NEVER_STOPS("aScanStopsWhenTheVisitorHasEnough"),
        SCAN_SHARES_KEYS("aVisitedKeyBelongsToTheVisitor"),
        SCAN_SWALLOWS("whatTheVisitorThrowsComesOut"),
        KEY_LENGTH_OF_ONE_BYTE("anImageHoldsKeysOfEveryLengthAndEveryBitOfALocator"),
        LOCATORS_OF_48_BITS_IN_IMAGES("anImageHoldsKeysOfEveryLengthAndEveryBitOfALocator"),
        LOADS_HALF_AN_IMAGE("aCutOrPaddedImageIsRefusedAndTheIndexStaysEmptyAndUsable"),
        KEEPS_IMAGES_OPEN("loadingEndsAndGivesTheImageBack"),
        SAVE_CLEARS("whatTheSinkThrowsComesOutAndTheIndexIsAsBefore"),
        SAVES_AFTER_CLOSE("imagesAfterCloseAreAnIllegalState");

        final String test;

        Defect(String test) {
            this.test = test;
        }
    }

    private static final int BYTES_PER_ENTRY = 120;

    private final Defect defect;
    private final long maxBytes;
    private final ConcurrentSkipListMap<byte[], Long> locators;
    private final List<byte[]> leaked = new ArrayList<>();
    private final AtomicLong keyBytes = new AtomicLong();
    private final AtomicLong overwrites = new AtomicLong();
    private volatile boolean isClosed;

    BreakableKeyIndex(KeyIndexContext context, Defect defect, long maxBytes) {
        this.defect = defect;
        this.maxBytes = maxBytes;
        Comparator<byte[]> order = defect == Defect.ORDER_ENDS_AFTER_24_BYTES
                ? BreakableKeyIndex::compareCarelessly
                : defect == Defect.SIGNED_ORDER ? Arrays::compare : Arrays::compareUnsigned;
        this.locators = new ConcurrentSkipListMap<>(order);
        if (context.seed() == 0) {
            throw new IllegalArgumentException("no seed");
        }
    }

    /** Compares the first 24 bytes as it should, and what follows by a hash. */
    private static int compareCarelessly(byte[] one, byte[] other) {
        int order = Arrays.compareUnsigned(one, 0, Math.min(24, one.length), other, 0, Math.min(24, other.length));
        if (order != 0) {
            return order;
        }
        order = Integer.compare(Arrays.hashCode(one), Arrays.hashCode(other));
        return order != 0 ? order : Arrays.compareUnsigned(one, other);
    }

    private ConcurrentSkipListMap<byte[], Long> open() {
        if (isClosed && defect != Defect.WORKS_AFTER_CLOSE) {
            throw new IllegalStateException("the index is closed");
        }
        return locators;
    }

    private byte[] slice(byte[] key, int offset, int length) {
        if (defect == Defect.KEEPS_THE_ARRAY && offset == 0 && length == key.length) {
            return key;
        }
        if (defect == Defect.KEEPS_THE_ARRAY && key.length < 10) {
            key[0] ^= 1; // a mark of its own in the caller's array
        }
        byte[] copy = Arrays.copyOfRange(key, offset, offset + length);
        return switch (defect) {
            case HASH_FOR_KEY -> {
                long hash = 1125899906842597L;
                for (byte each : copy) {
                    hash = (hash ^ each) * 0x9E3779B97F4A7C15L;
                    hash ^= hash >>> 29;
                }
                yield ByteBuffer.allocate(8).putLong(hash >>> 16).array();
            }
            case HASH_CODE_FOR_KEY ->
                ByteBuffer.allocate(4).putInt(Arrays.hashCode(copy)).array();
            case IGNORES_TRAILING_ZEROS -> {
                int end = copy.length;
                while (end > 1 && copy[end - 1] == 0) {
                    end--;
                }
                yield Arrays.copyOf(copy, end);
            }
            case CUTS_LONG_KEYS -> Arrays.copyOf(copy, Math.min(copy.length, 65_000));
            default -> copy;
        };
    }

    private static long orAbsent(@Nullable Long locator) {
        return locator == null ? ABSENT : locator;
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        if (defect == Defect.ONE_LOCK) {
            synchronized (this) {
                return orAbsent(open().get(slice(key, offset, length)));
            }
        }
        return orAbsent(open().get(slice(key, offset, length)));
    }

    @Override
    public long candidate(byte[] key, int offset, int length) {
        long found = get(key, offset, length);
        int last = key[offset + length - 1];
        if (defect == Defect.CANDIDATE_MISSES && last == '7') {
            return ABSENT;
        }
        return defect == Defect.CANDIDATE_GUESSES && last == '7' ? 42 : found;
    }

    @Override
    public void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] found) throws IOException {
        OrderedKeyIndex.super.candidates(source, offsets, lengths, count, found);
        if (defect == Defect.CANDIDATES_GO_TOO_FAR && count < found.length) {
            found[count] = 0;
        }
    }

    @Override
    public void prefetch(byte[] source, int[] offsets, int[] lengths, int count) {
        if (defect == Defect.PREFETCH_PUTS && count > 0) {
            put(source, offsets[0], lengths[0], 1);
        }
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) {
        if (defect == Defect.ONE_LOCK || defect == Defect.SCAN_HOLDS_THE_LOCK) {
            synchronized (this) {
                return putUnlocked(key, offset, length, locator);
            }
        }
        return putUnlocked(key, offset, length, locator);
    }

    private long putUnlocked(byte[] key, int offset, int length, long locator) {
        checkRoom(length);
        byte[] held = slice(key, offset, length);
        ConcurrentSkipListMap<byte[], Long> map = open();
        if (defect == Defect.REMOVES_BEFORE_IT_PUTS) {
            Long removed = map.remove(held);
            map.put(held, locator);
            return orAbsent(removed);
        }
        long stored = defect == Defect.LOCATORS_OF_56_BITS ? locator & -1L >>> 8 : locator;
        long before = orAbsent(map.put(held, stored));
        added(held, before);
        overwrites.addAndGet(before == ABSENT ? 0 : 1);
        return defect == Defect.FORGETS_THE_LOCATOR_BEFORE ? ABSENT : before;
    }

    private void checkRoom(int length) {
        if (defect == Defect.REFUSES_LONG_KEYS && length > 60_000) {
            throw new IllegalArgumentException("key too long");
        }
        boolean isFailing = defect == Defect.FAILS_AFTER_ENSURE_ROOM && locators.size() % 4_096 == 4_095;
        boolean isFull = defect == Defect.FAILS_WHEN_FULL_AFTER_ENSURE_ROOM && memoryBytes() > maxBytes;
        if (isFailing || isFull) {
            throw new IllegalStateException("no memory for another key");
        }
    }

    private void added(byte[] key, long before) {
        if (before == ABSENT) {
            keyBytes.addAndGet(key.length);
        }
        if (defect == Defect.LEAKS) {
            synchronized (leaked) {
                leaked.add(key);
            }
        }
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) {
        if (defect == Defect.PUT_IF_ABSENT_OVERWRITES) {
            return put(key, offset, length, locator);
        }
        if (defect == Defect.CLAIMS_CONCURRENT_WRITERS) {
            long before = get(key, offset, length);
            return before != ABSENT ? before : put(key, offset, length, locator) & 0;
        }
        checkRoom(length);
        byte[] held = slice(key, offset, length);
        long before = orAbsent(open().putIfAbsent(held, locator));
        if (before == ABSENT) {
            added(held, before);
        }
        return before;
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        if (defect == Defect.REPLACE_COMPARES_NOTHING) {
            return open().replace(slice(key, offset, length), locator) != null;
        }
        if (defect == Defect.REPLACE_IS_NOT_ATOMIC) {
            boolean isExpected = get(key, offset, length) == expected;
            if (isExpected) {
                LockSupport.parkNanos(100_000); // so that the other thread comes in between on any machine
                put(key, offset, length, locator);
            }
            return isExpected;
        }
        return open().replace(slice(key, offset, length), expected, locator);
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        if (defect == Defect.ONE_LOCK || defect == Defect.SCAN_HOLDS_THE_LOCK) {
            synchronized (this) {
                return removeUnlocked(key, offset, length, expected);
            }
        }
        return removeUnlocked(key, offset, length, expected);
    }

    private boolean removeUnlocked(byte[] key, int offset, int length, long expected) {
        byte[] held = slice(key, offset, length);
        boolean isRemoved =
                defect == Defect.REMOVE_COMPARES_NOTHING ? open().remove(held) != null : open().remove(held, expected);
        keyBytes.addAndGet(isRemoved ? -held.length : 0);
        return isRemoved;
    }

    @Override
    public long size() {
        return open().size() + (defect == Defect.COUNTS_OVERWRITES ? overwrites.get() : 0);
    }

    @Override
    public long memoryBytes() {
        long size = open().size();
        return switch (defect) {
            case TELLS_NO_MEMORY -> 1_000;
            case LIES_ABOUT_MEMORY -> 1_000 + 20 * size;
            default -> 1_000 + BYTES_PER_ENTRY * size + keyBytes.get();
        };
    }

    @Override
    public void ensureRoom(int keys) throws IndexMemoryException {
        open();
        boolean isChecking = defect != Defect.NEVER_REFUSES && defect != Defect.FAILS_WHEN_FULL_AFTER_ENSURE_ROOM;
        if (isChecking && memoryBytes() + 200L * keys > maxBytes) {
            throw new IndexMemoryException("no room: keys=" + keys + ", limit=" + maxBytes, null);
        }
    }

    @Override
    public boolean allowsConcurrentWriters() {
        return true;
    }

    @Override
    public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
            throws IOException {
        if (defect == Defect.SCAN_HOLDS_THE_LOCK) {
            synchronized (this) {
                scanUnlocked(from, inclusive, descending, visitor);
            }
        } else {
            scanUnlocked(from, inclusive, descending, visitor);
        }
    }

    private void scanUnlocked(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
            throws IOException {
        NavigableMap<byte[], Long> view = descending ? open().descendingMap() : open();
        boolean isFromIncluded = inclusive || defect == Defect.SCAN_IGNORES_INCLUSIVE;
        for (Map.Entry<byte[], Long> entry : (from == null ? view : view.tailMap(from, isFromIncluded)).entrySet()) {
            byte[] key = defect == Defect.SCAN_SHARES_KEYS
                    ? entry.getKey()
                    : entry.getKey().clone();
            boolean goesOn;
            try {
                goesOn = visitor.visit(key, entry.getValue());
            } catch (IOException e) {
                if (defect == Defect.SCAN_SWALLOWS) {
                    return;
                }
                throw e;
            }
            if (!goesOn && defect != Defect.SCAN_NEVER_STOPS) {
                return;
            }
        }
    }

    // An image is the number of keys; of each its length, bytes and locator; and a checksum.

    @Override
    public String imageFormat() {
        return "simplest-1";
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        if (isClosed && defect != Defect.SAVES_AFTER_CLOSE) {
            open();
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            List<Map.Entry<byte[], Long>> entries = new ArrayList<>(locators.entrySet());
            out.writeInt(entries.size());
            for (Map.Entry<byte[], Long> entry : entries) {
                byte[] key = entry.getKey();
                if (defect == Defect.KEY_LENGTH_OF_ONE_BYTE) {
                    out.writeInt(key.length & 0xFF);
                    out.write(key, 0, key.length & 0xFF);
                } else {
                    out.writeInt(key.length);
                    out.write(key);
                }
                long locator = entry.getValue();
                out.writeLong(defect == Defect.LOCATORS_OF_48_BITS_IN_IMAGES ? locator & -1L >>> 16 : locator);
            }
            out.writeLong(checksum(bytes.toByteArray(), bytes.size()));
        }
        if (defect == Defect.SAVE_CLEARS) {
            locators.clear();
        }
        sink.write(bytes.toByteArray(), 0, bytes.size());
    }

    private static long checksum(byte[] bytes, int length) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, length);
        return checksum.getValue();
    }

    @Override
    public boolean load(Image image, Refill refill) throws IOException {
        try {
            open();
            byte[] bytes = new byte[(int) image.length()];
            try (ImageSource source = image.source(0, bytes.length)) {
                source.read(bytes, 0, bytes.length);
            }
            return load(bytes);
        } finally {
            if (defect != Defect.KEEPS_IMAGES_OPEN) {
                image.close();
            }
        }
    }

    private boolean load(byte[] bytes) {
        int end = bytes.length - Long.BYTES;
        boolean isSound = end >= Integer.BYTES && ByteBuffer.wrap(bytes).getLong(end) == checksum(bytes, end);
        if (!isSound && defect != Defect.LOADS_HALF_AN_IMAGE) {
            return false;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, Math.max(0, end));
        int count = in.remaining() >= Integer.BYTES ? in.getInt() : 0;
        for (int i = 0; i < count && in.remaining() >= Integer.BYTES; i++) {
            int length = in.getInt();
            if (length <= 0 || length + Long.BYTES > in.remaining()) {
                return true;
            }
            byte[] key = new byte[length];
            in.get(key);
            put(key, 0, length, in.getLong());
        }
        return true;
    }

    @Override
    public void close() {
        if (isClosed && defect == Defect.CLOSES_ONCE) {
            throw new IllegalStateException("closed before");
        }
        isClosed = true;
        if (defect != Defect.LEAKS_WHEN_CLOSED) {
            locators.clear();
        }
    }
}
