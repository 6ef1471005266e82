package dev.caskwright.api.spi.io;

import java.io.IOException;

/** An open file that is written in place: at any offset within its length, by one thread at a time. */
public interface PagedFile extends WritableFile {
    /**
     * Makes the file longer; the new bytes read as zeros. Disk space may be taken only when they are written.
     *
     * @param length the new length in bytes, no less than {@link #length()}
     * @throws dev.caskwright.api.OutOfSpaceException if there is no room; the file is as it was
     */
    void grow(long length) throws IOException;

    /** Returns a file of pages over a file that grows by what is appended. Closing it closes that file. */
    static PagedFile over(WritableFile file) {
        return new AppendedPagedFile(file);
    }
}
