package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.moss.memory.LittleEndian;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The state of a store on disk: which files it has, how far they go, and its checkpoints. A file that the manifest does
 * not list is not read. Each change writes the whole again under another name, forces it and renames it into place, so
 * that there is always exactly one whole manifest, and one that is not sound is damage, never a torn end. Immutable.
 *
 * <pre>
 *  0  magic "MOSSLIST" (8)        8  format version (4)     12  length of what follows, checksum included (4)
 * 16  store's number (8)         24  kind (4): 0 own files, 1 over another engine
 * 28  next file number (8)       36  version (8): all writes up to it are in the files
 * 44  files: count var, each number var, length var, newest first
 *     checkpoints: count var, each name length var, name, time in ms (8), version (8), files as above
 *     checksum (4)
 * </pre>
 *
 * @param storeId what tells this store from others
 * @param isOver whether the data is in another engine, so that there are no files
 * @param nextNumber no file has this number or a greater one
 * @param version the last version that the files have
 * @param files newest first
 * @param checkpoints oldest first
 */
public record Manifest(
        long storeId, boolean isOver, long nextNumber, long version, List<Listed> files, List<Checkpoint> checkpoints) {
    private static final long MAGIC = 0x5453494C53534F4DL; // "MOSSLIST"
    private static final int FORMAT = 1;
    private static final int HEAD_LENGTH = 16;
    private static final int LONGEST = 64 << 20;

    /** A file and its length in bytes. */
    public record Listed(long number, long length) {}

    /**
     * A state to go back to.
     *
     * @param millis when it was made, in milliseconds since 1970
     */
    public record Checkpoint(String name, long millis, long version, List<Listed> files) {}

    /** Copies the lists. */
    public Manifest {
        files = List.copyOf(files);
        checkpoints = List.copyOf(checkpoints);
    }

    /** Writes the manifest beside the one before, and forces it. If this fails, nothing has changed. */
    public void prepare(IoManager io) throws IOException {
        byte[] bytes = encode();
        if (io.list().contains(FileNames.NEW_MANIFEST)) {
            io.delete(FileNames.NEW_MANIFEST);
        }
        try (WritableFile file = io.create(FileNames.NEW_MANIFEST, bytes.length)) {
            file.write(0, bytes, 0, bytes.length);
            file.force();
        }
    }

    /** Puts what was prepared in place of the manifest before. If this fails, either may be there. */
    public static void install(IoManager io) throws IOException {
        io.rename(FileNames.NEW_MANIFEST, FileNames.MANIFEST);
        io.syncDirectory();
    }

    private byte[] encode() {
        Buffer body = new Buffer(256);
        body.addLong(storeId);
        body.addInt(isOver ? 1 : 0);
        body.addLong(nextNumber);
        body.addLong(version);
        add(body, files);
        body.addVar(checkpoints.size());
        for (Checkpoint checkpoint : checkpoints) {
            byte[] name = checkpoint.name.getBytes(StandardCharsets.UTF_8);
            body.addVar(name.length);
            body.add(name, 0, name.length);
            body.addLong(checkpoint.millis);
            body.addLong(checkpoint.version);
            add(body, checkpoint.files);
        }
        Buffer whole = new Buffer(HEAD_LENGTH + body.length() + Integer.BYTES);
        whole.addLong(MAGIC);
        whole.addInt(FORMAT);
        whole.addInt(body.length() + Integer.BYTES);
        whole.add(body.bytes(), 0, body.length());
        whole.addInt(Sealed.checksum(0, 0, 0, whole.bytes(), 0, whole.length()));
        byte[] bytes = new byte[whole.length()];
        System.arraycopy(whole.bytes(), 0, bytes, 0, bytes.length);
        return bytes;
    }

    private static void add(Buffer target, List<Listed> files) {
        target.addVar(files.size());
        for (Listed file : files) {
            target.addVar(file.number);
            target.addVar(file.length);
        }
    }

    /** Reads the manifest, which must be there. */
    public static Manifest read(IoManager io) throws IOException {
        try (ReadableFile file = io.open(FileNames.MANIFEST)) {
            long length = file.length();
            if (length < HEAD_LENGTH + Integer.BYTES || length > LONGEST) {
                throw new CorruptRecordException(
                        "manifest has an impossible length", FileNames.MANIFEST, 0, "length=" + length);
            }
            byte[] bytes = Sealed.read(file, 0, (int) length);
            // After a crash zeros may follow, which were space held ready.
            long whole = HEAD_LENGTH + (LittleEndian.getInt(bytes, HEAD_LENGTH - Integer.BYTES) & 0xFFFFFFFFL);
            if (whole > length || whole < HEAD_LENGTH + Integer.BYTES) {
                throw new CorruptRecordException(
                        "manifest does not fit its file",
                        FileNames.MANIFEST,
                        0,
                        "length=" + whole + ", file=" + length);
            }
            int end = (int) whole - Integer.BYTES;
            int expected = LittleEndian.getInt(bytes, end);
            int found = Sealed.checksum(0, 0, 0, bytes, 0, end);
            if (expected != found) {
                throw Sealed.damaged(FileNames.MANIFEST, 0, expected, found);
            }
            int format = LittleEndian.getInt(bytes, Long.BYTES);
            if (LittleEndian.getLong(bytes, 0) != MAGIC || format != FORMAT) {
                throw new UnsupportedFormatException("manifest has another format: file=" + FileNames.MANIFEST
                        + ", version=" + format + ", known=" + FORMAT);
            }
            return decode(new Fields(FileNames.MANIFEST, 0, bytes, HEAD_LENGTH, end));
        }
    }

    private static Manifest decode(Fields fields) throws IOException {
        long storeId = fields.longValue();
        boolean isOver = fields.intValue() == 1;
        long nextNumber = fields.longValue();
        long version = fields.longValue();
        List<Listed> files = files(fields);
        List<Checkpoint> checkpoints = new ArrayList<>();
        for (long left = fields.var(); left > 0; left--) {
            String name = new String(fields.slice(), StandardCharsets.UTF_8);
            checkpoints.add(new Checkpoint(name, fields.longValue(), fields.longValue(), files(fields)));
        }
        return new Manifest(storeId, isOver, nextNumber, version, files, checkpoints);
    }

    private static List<Listed> files(Fields fields) throws IOException {
        List<Listed> files = new ArrayList<>();
        for (long left = fields.var(); left > 0; left--) {
            files.add(new Listed(fields.var(), fields.var()));
        }
        return files;
    }
}
