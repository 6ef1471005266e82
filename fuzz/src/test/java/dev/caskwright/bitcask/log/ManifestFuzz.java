package dev.caskwright.bitcask.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/** A manifest whose edits have right checksums over what the fuzzer wants. */
public final class ManifestFuzz {
    private ManifestFuzz() {}

    /** The first byte says whether the store's own start stays; then come edits: a count of longs, and the longs. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        byte[] whole = FuzzedStore.PLAIN.file(FileNames.MANIFEST);
        boolean keepsStart = input.length > 0 && (input[0] & 1) != 0;
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(keepsStart ? whole : Arrays.copyOf(whole, 64));
        for (int at = 1; at < input.length; ) {
            int longs = 1 + (input[at] & 15);
            byte[] edit = new byte[8 + longs * Long.BYTES];
            System.arraycopy(input, at + 1, edit, 8, Math.min(input.length - at - 1, longs * Long.BYTES));
            RecordFormat.INT.set(edit, 4, longs * Long.BYTES);
            int mask = RecordFormat.mask(FuzzedStore.PLAIN.store().seed(), file.size());
            RecordFormat.INT.set(edit, 0, FuzzedStore.checksum(edit, 4, edit.length - 4, mask));
            file.writeBytes(edit);
            at += 1 + longs * Long.BYTES;
        }
        FuzzedStore.PLAIN.use(FileNames.MANIFEST, file.toByteArray());
    }
}
