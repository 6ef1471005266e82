package dev.caskwright.bitcask.log;

import dev.caskwright.api.EngineException;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.ManifestReader;
import dev.caskwright.bitcask.log.format.ClockNote;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.fuzz.Sample;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** A manifest whose edits have right checksums over what the fuzzer wants. */
public final class ManifestFuzz {
    private ManifestFuzz() {}

    /** The first byte says whether the store's own start stays; then come edits: a count of longs, and the longs. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        byte[] whole = FuzzedStore.PLAIN.file(FileNames.MANIFEST);
        boolean keepsStart = input.length > 0 && (input[0] & 1) != 0;
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(keepsStart ? whole : Arrays.copyOf(whole, ClockNote.END));
        for (int at = 1; at < input.length; ) {
            int longs = 1 + (input[at] & 15);
            byte[] edit = new byte[ManifestReader.EDIT_HEADER + (longs - 1) * Long.BYTES];
            byte[] words = new byte[longs * Long.BYTES];
            System.arraycopy(input, at + 1, words, 0, Math.min(input.length - at - 1, words.length));
            System.arraycopy(words, 0, edit, 8, Long.BYTES);
            int length = edit.length - ManifestReader.EDIT_HEADER;
            System.arraycopy(words, Long.BYTES, edit, ManifestReader.EDIT_HEADER, length);
            RecordFormat.INT.set(edit, 4, length);
            RecordFormat.INT.set(edit, 16, FuzzedStore.checksum(edit, ManifestReader.EDIT_HEADER, length, 0));
            int mask = RecordFormat.mask(FuzzedStore.PLAIN.store().seed(), file.size());
            RecordFormat.INT.set(edit, 0, FuzzedStore.checksum(edit, 4, ManifestReader.EDIT_HEADER - 4, mask));
            file.writeBytes(edit);
            at += 1 + longs * Long.BYTES;
        }
        FuzzedStore.read(() -> read(file.toByteArray()));
        FuzzedStore.PLAIN.use(FileNames.MANIFEST, file.toByteArray());
    }

    private static void read(byte[] file) throws IOException {
        CrashableIoManager directory = FuzzedStore.PLAIN.directoryWith(FileNames.MANIFEST, file);
        Manifest manifest = Objects.requireNonNull(Manifest.read(directory));
        for (Manifest.Sealed sealed : manifest.files()) {
            FuzzedStore.require(
                    sealed.id() >= 0 && sealed.id() <= manifest.highestId() && sealed.id() < Integer.MAX_VALUE,
                    "impossible number of a file",
                    sealed.id());
            FuzzedStore.require(
                    sealed.length() >= DataFile.HEADER_LENGTH && sealed.length() <= RecordFormat.MAX_FILE_LENGTH,
                    "impossible length of a file",
                    sealed.length());
        }
        if (Sample.has(file)) {
            checkWritten(manifest, directory);
        }
    }

    private static void checkWritten(Manifest manifest, CrashableIoManager directory) throws IOException {
        List<Object> content = content(manifest);
        manifest.rewrite(directory);
        manifest.close();
        Manifest again;
        try {
            again = Objects.requireNonNull(Manifest.read(directory));
        } catch (EngineException e) {
            throw new AssertionError("what was read cannot be written: " + content, e);
        }
        if (!content(again).equals(content)) {
            throw new AssertionError("written as " + content(again) + ": " + content);
        }
    }

    private static List<Object> content(Manifest manifest) {
        List<Object> content = new ArrayList<>(manifest.files());
        content.add(manifest.store());
        content.add(manifest.highestId());
        content.add(manifest.lastLogId());
        content.add(manifest.changesFrom());
        content.add(Arrays.toString(manifest.clockNote()));
        content.add(manifest.lastVersion());
        content.add(Optional.ofNullable(manifest.image()));
        return content;
    }
}
