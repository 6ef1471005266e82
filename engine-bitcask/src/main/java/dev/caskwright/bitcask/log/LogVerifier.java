package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.RecordLogFactory.VerifyListener;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.CRC32C;

/** Reads every byte of a store and reports what is damaged. Changes nothing, and goes on behind damage where it can. */
final class LogVerifier {
    private final IoManager io;
    private final VerifyListener listener;

    LogVerifier(IoManager io, VerifyListener listener) {
        this.io = io;
        this.listener = listener;
    }

    /** Checks the manifest, every data file, every hint file and the image of the key index. */
    void run() throws IOException {
        Manifest manifest;
        try {
            manifest = Manifest.read(io);
        } catch (CorruptRecordException e) {
            listener.damaged(e.file(), e.offset(), String.valueOf(e.getMessage()));
            return;
        }
        Set<String> names = new HashSet<>(io.list());
        if (manifest == null) {
            listener.damaged(FileNames.MANIFEST, 0, "the manifest is missing");
            return;
        }
        CopyMark copy = manifest.copy();
        if (copy != null && !copy.finished()) {
            listener.damaged(FileNames.MANIFEST, 0, copy.unfinished());
        }
        for (Manifest.Sealed sealed : manifest.files()) {
            if (names.contains(sealed.name())) {
                verifySealed(manifest.store(), sealed, names);
            } else {
                listener.damaged(sealed.name(), 0, "data file is missing");
            }
        }
        for (String name : names) {
            if (FileNames.isData(name) && FileNames.id(name) > manifest.highestId()) {
                verifyTail(manifest.store(), FileNames.id(name));
            }
        }
        Manifest.Image image = manifest.image();
        if (image != null && names.contains(image.name())) {
            verifyImage(manifest.store(), image);
        }
    }

    private void verifyImage(StoreId store, Manifest.Image image) throws IOException {
        ImageFile file = ImageFile.read(io, store, image);
        if (file == null || !file.isWhole(io)) {
            listener.damaged(image.name(), 0, "image of the key index is not sound; opening does without it");
        }
    }

    private void verifySealed(StoreId store, Manifest.Sealed sealed, Set<String> names) throws IOException {
        try (ReadableFile handle = io.open(sealed.name())) {
            DataFile file = new DataFile(sealed.id(), 0, sealed.merged(), store.seed(), handle, sealed.length());
            file.setHistory(sealed.history());
            verifyHeader(store, sealed, handle);
            long physical = handle.length();
            if (physical < sealed.length()) {
                listener.damaged(sealed.name(), physical, "data file is cut short: expected length=" + sealed.length());
            }
            long end = Math.min(physical, sealed.length()) & -RecordFormat.ALIGNMENT;
            FileScanner scanner = new FileScanner(file, DataFile.HEADER_LENGTH, end);
            long records = 0;
            while (true) {
                while (scanner.tryNext()) {
                    records++;
                }
                long broken = scanner.nextOffset();
                if (broken >= end) {
                    break;
                }
                listener.damaged(sealed.name(), broken, "bad record");
                scanner = new FileScanner(file, nextSound(file, broken, end), end);
            }
            listener.sound(records, physical);
            String hint = FileNames.hint(sealed.id());
            if (names.contains(hint) && !HintFile.visit(io, store, file, (kind, place, source, offset, length) -> {})) {
                listener.damaged(hint, 0, "hint file is not sound; it is rebuilt when the store is opened");
            }
        }
    }

    private void verifyHeader(StoreId store, Manifest.Sealed sealed, ReadableFile handle) throws IOException {
        try {
            if (!DataFile.hasHeaderOf(sealed, handle, store)) {
                listener.damaged(sealed.name(), 0, "bad file header");
            }
        } catch (CorruptRecordException e) {
            listener.damaged(sealed.name(), 0, String.valueOf(e.getMessage()));
        }
    }

    /** Returns the next offset behind {@code broken} at which a whole sound record starts, or {@code end}. */
    static long nextSound(DataFile file, long broken, long end) throws IOException {
        byte[] chunk = new byte[(int) Math.max(2 * RecordFormat.LONG_HEADER, Math.min(1 << 20, end - broken))];
        CRC32C crc = new CRC32C();
        int usable = chunk.length - RecordFormat.LONG_HEADER;
        for (long offset = broken + RecordFormat.ALIGNMENT; offset < end; offset += usable) {
            int length = file.handle().read(offset, chunk, 0, (int) Math.min(chunk.length, end - offset));
            for (int at = 0; at < Math.min(length, usable); at += RecordFormat.ALIGNMENT) {
                if (RecordFormat.isHeaderSound(chunk, at, length - at, file.mask(offset + at), crc)
                        && new FileScanner(file, offset + at, end).tryNext()) {
                    return offset + at;
                }
            }
        }
        return end;
    }

    private void verifyTail(StoreId store, long id) throws IOException {
        try (ReadableFile handle = io.open(FileNames.data(id))) {
            DataFile file = new DataFile(id, 0, false, store.seed(), handle, DataFile.HEADER_LENGTH);
            TailRecovery recovery = new TailRecovery(file);
            long physical = handle.length();
            if (DataFile.header(handle, store, id) != null) {
                recovery.scan(physical);
            }
            recovery.examineRest(handle, physical, null);
            listener.sound(recovery.records(), physical);
        } catch (CorruptRecordException e) {
            listener.damaged(e.file(), e.offset(), String.valueOf(e.getMessage()));
        }
    }
}
