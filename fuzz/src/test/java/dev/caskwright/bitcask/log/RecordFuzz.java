package dev.caskwright.bitcask.log;

import dev.caskwright.testkit.CrashableIoManager;
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
        long id = isTail ? Manifest.read(disk()).highestId() + 1 : ID;
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(DataFile.encodeHeader(FuzzedStore.PLAIN.store(), id, id - 1));
        while (in.hasRemaining()) {
            file.writeBytes(record(in, id, file.size()));
        }
        FuzzedStore.PLAIN.use(isTail ? FileNames.data(id) : NAME, file.toByteArray());
    }

    private static CrashableIoManager disk() {
        var disk = new CrashableIoManager();
        disk.install(FileNames.MANIFEST, FuzzedStore.PLAIN.file(FileNames.MANIFEST));
        return disk;
    }

    /** Takes a byte of flags and a length, then the record's bytes from the checksums on. */
    private static byte[] record(ByteBuffer in, long id, long offset) {
        int flags = in.get();
        int length = in.hasRemaining() ? Byte.toUnsignedInt(in.get()) : 0;
        byte[] record = new byte[(int) RecordFormat.align(Math.max(RecordFormat.LONG_HEADER, length))];
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
