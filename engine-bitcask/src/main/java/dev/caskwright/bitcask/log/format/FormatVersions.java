package dev.caskwright.bitcask.log.format;

import dev.caskwright.api.UnsupportedFormatException;

/** Refuses files of a format that this version does not know. */
public final class FormatVersions {
    private FormatVersions() {}

    public static void check(String file, int found, int supported) throws UnsupportedFormatException {
        if (found != supported) {
            throw new UnsupportedFormatException("unsupported format: file=" + file + ", found version=" + found
                    + ", supported=" + supported + "; open it with the version of the library that wrote it");
        }
    }
}
