package dev.caskwright.bitcask.log;

import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.bitcask.log.image.ImageFile;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.util.Objects;

/** Has a manifest believe files that it did not see being made, for attacks that get past its sums. */
public final class Sums {
    private Sums() {}

    /** Returns the sum of a hint file, of what lies where its ends should; 0 if nothing does. */
    static long ofHints(byte[] file) {
        if (file.length < HintFile.HEADER_LENGTH) {
            return 0;
        }
        long sumsAt = file.length - 16L - 4L * (int) RecordFormat.INT.get(file, 44);
        return sumsAt < HintFile.HEADER_LENGTH || sumsAt > file.length - 4 ? 0 : sum(file, (int) sumsAt);
    }

    /** Returns the sum of an image, of what lies where its ends should; 0 if nothing does. */
    static long ofImage(byte[] file) {
        if (file.length < ImageFile.HEADER_LENGTH) {
            return 0;
        }
        long tableAt = (long) RecordFormat.LONG.get(file, 48);
        return tableAt < 0 || tableAt > file.length - 4 ? 0 : sum(file, (int) tableAt);
    }

    private static long sum(byte[] file, int lastBlock) {
        return (int) RecordFormat.INT.get(file, lastBlock) & 0xFFFFFFFFL
                | (long) (int) RecordFormat.INT.get(file, 60) << 32;
    }

    /** Has the manifest believe the hint file or image as it is on a disk. */
    public static void believe(CrashableIoManager disk, String name) throws IOException {
        Manifest manifest = Objects.requireNonNull(Manifest.read(disk));
        byte[] file = disk.content(name);
        if (name.endsWith(".hint")) {
            manifest.noteHints(FileNames.id(name), ofHints(file));
            manifest.rewrite(disk);
        } else {
            manifest.rewrite(disk);
            manifest.publish(Objects.requireNonNull(manifest.image()).withSum(ofImage(file)));
        }
        manifest.close();
    }
}
