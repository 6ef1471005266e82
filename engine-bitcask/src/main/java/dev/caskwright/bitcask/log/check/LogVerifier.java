package dev.caskwright.bitcask.log.check;

import dev.caskwright.api.CodecException;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EncryptionException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.log.RecordLogFactory.VerifyListener;
import dev.caskwright.bitcask.log.coding.ValueCoding;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.ForeignFiles;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.CopyMark;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintCheck;
import dev.caskwright.bitcask.log.hint.SealedScan;
import dev.caskwright.bitcask.log.image.ImageFile;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.bitcask.log.scan.KeySearch;
import dev.caskwright.bitcask.log.scan.RecordSearch;
import dev.caskwright.bitcask.log.segmented.ClosedLog;
import dev.caskwright.bitcask.log.tail.LogTail;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads every byte of a store and reports what is damaged. Changes nothing, and goes on after damage where it can: what the
 * disk does not give of a file is damage as well.
 */
public final class LogVerifier {
    private final IoManager io;
    private final VerifyListener listener;
    private final Set<String> told = new HashSet<>();
    private final Set<String> missingCodecs = new HashSet<>();
    private final boolean decodes;
    private final @Nullable Encryption encryption;
    private final KeyRing keys;
    private boolean hasTold;
    private boolean areKeysOpened;

    public LogVerifier(IoManager io, @Nullable Encryption encryption, VerifyListener listener) {
        this(io, encryption, listener, true);
    }

    /** @param decodes whether it is damage if a value does not decode that is stored by a codec */
    public LogVerifier(IoManager io, @Nullable Encryption encryption, VerifyListener listener, boolean decodes) {
        this.io = io;
        this.encryption = encryption;
        this.keys = new KeyRing(encryption);
        this.listener = listener;
        this.decodes = decodes;
    }

    /** Checks the manifest, every data file, every hint file and the image of the key index. */
    public void run() throws IOException {
        Manifest manifest;
        try {
            manifest = Manifest.read(io);
        } catch (CorruptRecordException e) {
            damaged(e.file(), e.offset(), String.valueOf(e.getMessage()));
            return;
        }
        Set<String> names = new HashSet<>(io.list());
        if (manifest == null) {
            if (names.stream().noneMatch(FileNames::isOurs)) {
                throw new UnsupportedFormatException("no store in this directory: " + io.describe());
            }
            damaged(FileNames.MANIFEST, 0, "the manifest is missing");
            return;
        }
        CopyMark copy = manifest.copy();
        if (copy != null && !copy.finished()) {
            damaged(FileNames.MANIFEST, 0, copy.unfinished());
        }
        for (Manifest.Sealed sealed : manifest.files()) {
            if (names.contains(sealed.name())) {
                verifySealed(manifest, sealed, names);
            } else {
                damaged(sealed.name(), 0, "data file is missing");
            }
        }
        verifyTail(manifest, names);
        Manifest.Image image = manifest.image();
        if (image != null && names.contains(image.name())) {
            verifyImage(manifest.store(), image);
        }
        if (copy == null || copy.finished()) {
            sayWhatOpeningSays();
        }
    }

    private void verifyImage(StoreId store, Manifest.Image image) throws IOException {
        if (!isImageSound(store, image)) {
            damaged(image.name(), 0, "image of the key index is not sound; opening does without it");
        }
    }

    private boolean isImageSound(StoreId store, Manifest.Image image) throws IOException {
        try {
            ImageFile file = ImageFile.read(io, store, image, io.list().size(), keys);
            return file != null && file.isWhole(io);
        } catch (IOException e) {
            throwUnlessUnreadable(e);
            return false;
        }
    }

    private void verifySealed(Manifest manifest, Manifest.Sealed sealed, Set<String> names) throws IOException {
        StoreId store = manifest.store();
        try (LenientFile handle = new LenientFile(io.open(sealed.name()))) {
            DataFile file = new DataFile(sealed.id(), 0, sealed.merged(), store.seed(), handle, sealed.length());
            file.setHistory(sealed.history());
            file.setHintSum(manifest.hintSum(sealed.id()));
            file.setVersions(sealed.firstVersion(), sealed.lastVersion());
            file.markSealed();
            boolean isReadable = verifyHeader(manifest, sealed, handle, file, names);
            long physical = handle.length();
            if (physical < sealed.length()) {
                damaged(sealed.name(), physical, "data file is cut short: expected length=" + sealed.length());
            }
            long end = Math.min(physical, sealed.length()) & -RecordFormat.ALIGNMENT;
            int damages = told.size();
            long records = isReadable ? verifyRecords(file, end, ValueCoding.forReading(manifest.codecs())) : 0;
            listener.sound(records, physical);
            boolean isSound =
                    tellFailure(handle) && isReadable && damages == told.size() && physical >= sealed.length();
            // One that the manifest does not know is not believed, and goes when the store is opened.
            if (isSound && file.hintSum() != 0 && names.contains(FileNames.hint(sealed.id()))) {
                verifyHints(store, file);
            }
        }
    }

    private void verifyHints(StoreId store, DataFile file) throws IOException {
        String hint = FileNames.hint(file.id());
        try {
            String problem = HintCheck.problem(io, store, file);
            if (problem != null) {
                damaged(hint, 0, problem);
            }
        } catch (IOException e) {
            throwUnlessUnreadable(e);
            damaged(hint, 0, "cannot be read: " + e.getMessage());
        }
    }

    /** Tells what could not be read since the last time; returns whether all could. */
    private boolean tellFailure(LenientFile file) {
        IOException failure = file.takeFailure();
        if (failure != null) {
            hasTold = true;
            listener.damaged(file.name(), 0, "cannot be read to its end: " + failure.getMessage());
        }
        return failure == null;
    }

    /** A file that cannot be opened, for want of permission or of descriptors, may be sound. */
    private static void throwUnlessUnreadable(IOException e) throws IOException {
        if (e instanceof FileSystemException
                || e instanceof UnsupportedFormatException
                || e instanceof EncryptionException) {
            throw e;
        }
    }

    /** Verifies a header, and gives the file its key; returns whether its records can be read. */
    private boolean verifyHeader(
            Manifest manifest, Manifest.Sealed sealed, ReadableFile handle, DataFile file, Set<String> names)
            throws IOException {
        DataFile.Header header = DataFile.headerAlone(handle);
        try {
            DataFile.checkHistory(sealed, handle, header, manifest.store());
        } catch (CorruptRecordException e) {
            damaged(sealed.name(), 0, String.valueOf(e.getMessage()));
            return header != null && !header.isEncrypted(); // its key may be that of another store
        }
        if (header == null) {
            damaged(sealed.name(), 0, "bad file header");
        }
        KeyNote note = header == null ? KeyNote.read(handle, DataFile.HEADER_LENGTH) : header.note();
        if (note != null || (header != null && !header.isEncrypted())) {
            file.setKey(keys.open(note, sealed.name()));
            return true;
        }
        openKeys(manifest, names);
        boolean isReadable = KeySearch.giveKey(file, keys.opened());
        if (file.key() != null || !isReadable) {
            damaged(
                    sealed.name(),
                    DataFile.HEADER_LENGTH,
                    isReadable
                            ? "bad note of the key; the file is decrypted by that of another one"
                            : "bad note of the key, and no key of another file decrypts a record");
        }
        return isReadable;
    }

    /** Opens the key of every listed file that says which one it has. */
    private void openKeys(Manifest manifest, Set<String> names) throws IOException {
        if (areKeysOpened) {
            return;
        }
        areKeysOpened = true;
        for (Manifest.Sealed sealed : manifest.files()) {
            if (names.contains(sealed.name())) {
                try (LenientFile handle = new LenientFile(io.open(sealed.name()))) {
                    DataFile.Header header = DataFile.header(handle);
                    if (header != null && header.store().equals(manifest.store())) {
                        keys.open(header.note(), sealed.name());
                    }
                }
            }
        }
    }

    private long verifyRecords(DataFile file, long end, ValueCoding coding) throws IOException {
        RecordSearch search = new RecordSearch(file, end);
        FileScanner scanner = search.scanner(file.start());
        SealedScan scan = new SealedScan();
        long records = 0;
        while (true) {
            while (scanner.tryNext()) {
                records++;
                String problem = scan.accept(scanner);
                if (problem != null) {
                    damaged(file.name(), scanner.offset(), problem);
                }
                verifyPadding(scanner, file);
                verifyValue(scanner, file, coding);
            }
            long broken = scanner.nextOffset();
            if (broken >= end) {
                break;
            }
            damaged(file.name(), broken, "bad record");
            scan.skip();
            scanner.skipTo(search.next(broken + RecordFormat.ALIGNMENT));
        }
        if (scan.isInBatch()) {
            damaged(file.name(), end, "batch without its end");
        }
        return records;
    }

    /** No checksum covers it, and nothing reads it; but a byte that has changed tells of the disk. */
    private void verifyPadding(FileScanner scanner, DataFile file) throws IOException {
        if (!scanner.isPaddingSound()) {
            damaged(file.name(), scanner.offset(), "padding of a record is not zeros; nothing is lost");
        }
    }

    /** Has a value decoded that is stored by a codec. One that is missing is told once: the store may be sound. */
    private void verifyValue(FileScanner scanner, DataFile file, ValueCoding codecs) throws IOException {
        long coding = decodes ? scanner.coding() : 0;
        if (coding == 0) {
            return;
        }
        try {
            int length = scanner.valueLength();
            if (scanner.isWhole()) {
                codecs.decode(coding, scanner.buffer(), scanner.valueOffset(), length, file, scanner.offset());
            } else {
                long at = scanner.offset() + (scanner.valueOffset() - scanner.recordStart());
                byte[] value = new byte[length];
                file.handle().read(at, value, 0, length);
                codecs.decode(coding, value, 0, length, file, scanner.offset());
            }
        } catch (CorruptRecordException e) {
            damaged(e.file(), e.offset(), String.valueOf(e.getMessage()));
        } catch (CodecException e) {
            if (missingCodecs.add(e.codec())) {
                damaged(file.name(), scanner.offset(), "values cannot be checked: " + e.getMessage());
            }
        } catch (OutOfMemoryError e) { // a few bytes may stand for a value of 64 MiB, and the others are to be checked
            damaged(
                    file.name(),
                    scanner.offset(),
                    "a value cannot be checked, for want of memory: length=" + RecordFormat.decodedLength(coding));
        }
    }

    /** What makes opening fail is never passed over in silence. */
    private void sayWhatOpeningSays() throws IOException {
        try {
            ClosedLog.open(io, encryption).log().abandon();
        } catch (CorruptRecordException e) {
            damaged(e.file(), e.offset(), String.valueOf(e.getMessage()));
        } catch (IOException e) {
            if (!hasTold) {
                throw e;
            }
        }
    }

    private void damaged(String file, long offset, String what) {
        hasTold = true;
        if (told.add(file + '@' + offset)) {
            listener.damaged(file, offset, what);
        }
    }

    private void verifyTail(Manifest manifest, Set<String> names) throws IOException {
        List<LenientFile> opened = new ArrayList<>();
        ForeignFiles judge = new ForeignFiles(io, manifest);
        Set<String> own = new HashSet<>();
        for (String name : names) {
            if (FileNames.isData(name) && !judge.isForeign(name)) {
                own.add(name);
            }
        }
        ValueCoding coding = ValueCoding.forReading(manifest.codecs());
        try {
            LogTail tail = new LogTail(manifest, keys, new LogTail.Files() {
                @Override
                public DataFile open(long id) throws IOException {
                    LenientFile handle = new LenientFile(io.open(FileNames.data(id)));
                    opened.add(handle);
                    return new DataFile(id, 0, false, manifest.store().seed(), handle, DataFile.HEADER_LENGTH);
                }

                @Override
                public void drop(DataFile file) throws IOException {
                    listener.sound(0, file.handle().length());
                }
            });
            tail.judge(own);
            for (LogTail.Part part : tail.parts()) {
                listener.sound(part.recovery().records(), part.physicalLength());
                FileScanner scanner = FileScanner.ofKeys(
                        part.file(), part.file().start(), part.recovery().soundEnd());
                while (scanner.tryNext()) {
                    verifyPadding(scanner, part.file());
                    verifyValue(scanner, part.file(), coding);
                }
            }
        } catch (CorruptRecordException e) {
            damaged(e.file(), e.offset(), String.valueOf(e.getMessage()));
        } finally {
            for (LenientFile file : opened) {
                tellFailure(file);
                file.close();
            }
        }
    }
}
