package dev.caskwright.bitcask.log;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.salvage.FileSurvey;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.bitcask.log.tail.TailRecovery;
import dev.caskwright.fuzz.Sample;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A data file of the fuzzer's records, headers and bodies with right checksums or without. */
public final class RecordFuzz {
    private static final String NAME = "00000001.data";
    private static final long ID = 1;

    private RecordFuzz() {}

    /** The first byte says whether the file is one that the manifest lists or the tail of the log; then come records. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
        boolean isTail = in.hasRemaining() && (in.get() & 1) != 0;
        long id = isTail ? FuzzedStore.PLAIN.manifest().highestId() + 1 : ID;
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(DataFile.encodeHeader(FuzzedStore.PLAIN.store(), id, id - 1, 7, null));
        while (in.hasRemaining()) {
            file.writeBytes(record(in, id, file.size()));
        }
        read(file.toByteArray(), id);
        FuzzedStore.PLAIN.use(FileNames.data(id), file.toByteArray());
    }

    private static void read(byte[] bytes, long id) throws IOException {
        try (ReadableFile handle = FuzzedStore.PLAIN.directoryWith(NAME, bytes).open(NAME)) {
            long seed = FuzzedStore.PLAIN.store().seed();
            FuzzedStore.read(() ->
                    scan(new DataFile(id, 0, false, seed, handle, bytes.length), DataFile.HEADER_LENGTH, bytes.length));
            FuzzedStore.read(() -> recover(new DataFile(id, 0, false, seed, handle, DataFile.HEADER_LENGTH), bytes));
            FuzzedStore.read(() -> survey(new DataFile(id, 0, false, seed, handle, bytes.length), bytes));
        }
    }

    /** Reads every record; returns how many have a key. */
    private static long scan(DataFile file, long from, long length) throws IOException {
        FileScanner scanner = new FileScanner(file, from, length);
        long records = 0;
        while (scanner.next()) {
            records += scanner.isPut() || scanner.isTombstone() ? 1 : 0;
            long offset = scanner.offset();
            FuzzedStore.require(
                    offset >= from && scanner.nextOffset() > offset && scanner.nextOffset() <= length,
                    "a record behind its file",
                    offset);
            FuzzedStore.require(
                    scanner.keyOffset() > scanner.recordStart()
                            && scanner.valueOffset() + scanner.valueLength()
                                    <= scanner.recordStart() + scanner.length(),
                    "a record shorter than its value",
                    offset);
            FuzzedStore.require(
                    (scanner.isPut() || scanner.isTombstone()) == scanner.key().length > 0, "no key", offset);
            FuzzedStore.require(scanner.value().length == scanner.valueLength(), "no value", offset);
            FuzzedStore.require(
                    Locator.offset(scanner.locator()) == offset
                            && Locator.size(scanner.locator()) >= scanner.length()
                            && Locator.expires(scanner.locator()) == ((scanner.kind() & RecordFormat.EXPIRES) != 0),
                    "a locator that leads elsewhere",
                    offset);
        }
        return records;
    }

    private static long scanSound(DataFile file, long from, long to) throws IOException {
        try {
            return scan(file, from, to);
        } catch (EngineException e) {
            throw new AssertionError("damage in a part that counts: from=" + from + ", to=" + to, e);
        }
    }

    /** Finds the sound part of a tail. */
    private static void recover(DataFile file, byte[] bytes) throws IOException {
        TailRecovery recovery = new TailRecovery(file);
        recovery.scan(bytes.length);
        long end = recovery.soundEnd();
        FuzzedStore.require(end >= DataFile.HEADER_LENGTH && end <= bytes.length, "an end past the file", end);
        FuzzedStore.require(file.length() == end, "not cut to its sound part", file.length());
        recovery.hints()
                .visit((kind, place, source, keyOffset, keyLength) -> FuzzedStore.require(
                        keyLength > 0 && Locator.offset(place) + Locator.size(place) * 511 / 512 <= end,
                        "an entry past the end",
                        place));
        if (Sample.has(bytes)) {
            long records = scanSound(file, DataFile.HEADER_LENGTH, end);
            FuzzedStore.require(recovery.records() == records, "other than so many records", records);
        }
        long torn = recovery.examineRest(file.handle(), bytes.length, null);
        FuzzedStore.require(torn >= 0 && torn <= bytes.length - end, "more torn than there is", torn);
    }

    /** Finds what salvage does, which is at least what opening does. */
    private static void survey(DataFile file, byte[] bytes) throws IOException {
        FileSurvey survey = new FileSurvey(
                file,
                bytes.length,
                (from, to, what) -> FuzzedStore.require(
                        from >= DataFile.HEADER_LENGTH && from < to && to <= bytes.length, "no part to lose", from));
        boolean isSample = Sample.has(bytes);
        long before = DataFile.HEADER_LENGTH;
        long records = 0;
        for (FileSurvey.Range range : survey.run()) {
            FuzzedStore.require(range.from() >= before && range.to() <= bytes.length, "no part to find", range.from());
            records += isSample ? scanSound(file, range.from(), range.to()) : 0;
            before = range.to();
        }
        if (isSample) {
            TailRecovery recovery = new TailRecovery(file);
            recovery.scan(bytes.length);
            FuzzedStore.require(records >= recovery.records(), "fewer records than there are", records);
        }
    }

    /** Takes a byte of flags and a length, then the record's bytes from the checksums on. */
    private static byte[] record(ByteBuffer in, long id, long offset) {
        int flags = in.get();
        int length = in.hasRemaining() ? Byte.toUnsignedInt(in.get()) : 0;
        byte[] record = new byte[(int) RecordFormat.align(Math.max(RecordFormat.LONGEST_HEADER, length))];
        in.get(
                record,
                RecordFormat.VERSION_OFFSET,
                Math.min(in.remaining(), record.length - RecordFormat.VERSION_OFFSET));
        int header = RecordFormat.headerLength(RecordFormat.kind(record, 0));
        if ((flags & 1) == 0) {
            int body = (int) Math.min(
                    record.length - header,
                    (long) RecordFormat.keyLength(record, 0)
                            + Integer.toUnsignedLong(RecordFormat.valueLength(record, 0)));
            RecordFormat.INT.set(
                    record, RecordFormat.BODY_CHECKSUM_OFFSET, FuzzedStore.checksum(record, header, body, 0));
        }
        if ((flags & 2) == 0) {
            int mask = RecordFormat.mask(
                    RecordFormat.fileSeed(FuzzedStore.PLAIN.store().seed(), id), offset);
            RecordFormat.INT.set(record, 0, FuzzedStore.checksum(record, 4, header - 4, mask));
        }
        return record;
    }
}
