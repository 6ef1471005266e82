package dev.caskwright.bitcask.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** A hint file whose header and blocks have right checksums over what the fuzzer wants. */
public final class HintFuzz {
    private static final String NAME = "00000001.hint";

    private HintFuzz() {}

    /** The first four bytes are the length of the filter and the count of entries; then come blocks of up to 255 bytes. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        byte[] header = Arrays.copyOf(FuzzedStore.PLAIN.file(NAME), HintFile.HEADER_LENGTH);
        byte[] start = Arrays.copyOf(input, Math.max(4, input.length));
        RecordFormat.INT.set(header, 12, (int) (short) RecordFormat.SHORT.get(start, 0));
        RecordFormat.INT.set(header, 48, (int) (short) RecordFormat.SHORT.get(start, 2));
        RecordFormat.INT.set(header, 60, FuzzedStore.checksum(header, 0, 60, 0));
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(header);
        for (int at = 4; at < start.length; ) {
            int length = Math.min(Byte.toUnsignedInt(start[at]), start.length - at - 1);
            byte[] block = new byte[8 + length];
            System.arraycopy(start, at + 1, block, 8, length);
            RecordFormat.INT.set(block, 4, length);
            int mask = RecordFormat.mask(
                    RecordFormat.fileSeed(~FuzzedStore.PLAIN.store().seed(), 1), file.size());
            RecordFormat.INT.set(block, 0, FuzzedStore.checksum(block, 4, 4 + length, mask));
            file.writeBytes(block);
            at += 1 + length;
        }
        FuzzedStore.PLAIN.use(NAME, file.toByteArray());
    }
}
