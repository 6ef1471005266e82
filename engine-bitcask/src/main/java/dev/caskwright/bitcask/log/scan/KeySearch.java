package dev.caskwright.bitcask.log.scan;

import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.keys.FileKey;
import java.io.IOException;
import java.util.List;

/**
 * Finds what a file is encrypted by that does not tell it any more, since its {@link KeyNote} is damaged. All files of one opening
 * have the same note, so another file tells; that the right one was found is proved by a record that it decrypts.
 */
public final class KeySearch {
    private static final int MOST_RECORDS = 16; // of those that are tried, each may have been changed by somebody

    private KeySearch() {}

    /**
     * Gives a file its key, if there is one among some.
     *
     * @return whether the records can be read: also true if they are not encrypted, or there is none
     */
    public static boolean giveKey(DataFile file, List<FileKey> candidates) throws IOException {
        long end = file.length();
        RecordSearch search = new RecordSearch(file, end);
        boolean isEncrypted = false;
        long offset = search.next(DataFile.HEADER_LENGTH);
        for (int i = 0; i < MOST_RECORDS && offset < end; i++) {
            if (isEncrypted(file, offset)) {
                isEncrypted = true;
                for (FileKey candidate : candidates) {
                    file.setKey(candidate);
                    if (search.scanner(offset).tryNext()) {
                        return true;
                    }
                }
                file.setKey(null);
            }
            offset = search.next(offset + RecordFormat.ALIGNMENT);
        }
        return !isEncrypted;
    }

    private static boolean isEncrypted(DataFile file, long offset) throws IOException {
        byte[] header = new byte[RecordFormat.SHORT_HEADER];
        file.handle().read(offset, header, 0, header.length);
        return (RecordFormat.kind(header, 0) & RecordFormat.ENCRYPTED) != 0;
    }
}
