package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/**
 * Tells files that a store did not make from those that it did, although their names are alike: a copy that somebody put
 * there, a file of another store, one that is named by a date. Such files are never deleted, and do not raise the number
 * that the next file gets.
 */
public final class ForeignFiles {
    /** No store goes so far beyond the highest number in its manifest; it would refuse to. */
    static final long MOST_UNLISTED_NUMBERS = 1 << 24;

    /** What all files of ours begin with, before four letters for the kind. */
    private static final byte[] MAGIC = {'C', 'A', 'S', 'K'};

    private static final int NUMBER_OFFSET = 32;

    private final IoManager io;
    private final Manifest manifest;
    private final Set<String> listed = new HashSet<>();

    public ForeignFiles(IoManager io, Manifest manifest) {
        this.io = io;
        this.manifest = manifest;
        for (Manifest.Sealed sealed : manifest.files()) {
            listed.add(sealed.name());
            listed.add(FileNames.hint(sealed.id()));
        }
        Manifest.Image image = manifest.image();
        if (image != null) {
            listed.add(image.name());
        }
    }

    /**
     * Returns whether a file with a name of ours is none. A file of the tail whose header is not sound counts as ours here:
     * its records may prove that it is.
     */
    public boolean isForeign(String name) throws IOException {
        if (listed.contains(name) || FileNames.isNewManifest(name)) {
            return false;
        }
        long number = FileNames.id(name);
        if (number > manifest.highestId() + MOST_UNLISTED_NUMBERS) {
            return true;
        }
        boolean isTail = FileNames.isData(name) && number > manifest.highestId();
        try (ReadableFile file = io.open(name)) {
            byte[] header = new byte[FileHeader.LENGTH];
            int length = file.read(0, header, 0, header.length);
            if (!FileHeader.isSound(header, length)) {
                return !isTail && !canBeOurs(header, length);
            }
            if (!hasMagic(header) || !FileHeader.store(header).equals(manifest.store())) {
                return true;
            }
            long own = (long) RecordFormat.LONG.get(header, NUMBER_OFFSET);
            return own != number && !(isTail && isMissing(own));
        }
    }

    /** Returns whether a file under another number may be what the log lacks, so that to leave it out would lose records. */
    private boolean isMissing(long number) throws IOException {
        return number > manifest.highestId() && !io.list().contains(FileNames.data(number));
    }

    /** Returns whether a file whose header is not sound may be one of ours that a crash cut short. */
    public static boolean canBeOurs(ReadableFile file) throws IOException {
        byte[] header = new byte[FileHeader.LENGTH];
        return canBeOurs(header, file.read(0, header, 0, header.length));
    }

    /** Of what was written, some may be there and some still be zeros. */
    private static boolean canBeOurs(byte[] header, int length) {
        for (int i = 0; i < Math.min(length, MAGIC.length); i++) {
            if (header[i] != 0 && header[i] != MAGIC[i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean hasMagic(byte[] header) {
        for (int i = 0; i < MAGIC.length; i++) {
            if (header[i] != MAGIC[i]) {
                return false;
            }
        }
        return true;
    }
}
