package dev.caskwright.cli.inspect;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Finds out what kind of file one is, and has it shown. */
public final class Inspector {
    private static final int MAGIC_LENGTH = 8;
    private static final int BOLT_MAGIC_OFFSET = 16;
    private static final int BOLT_MAGIC = 0xED0CDAED;

    private static final Map<String, Way> KINDS = Map.of(
            "CASKDATA", DataInspection::run,
            "CASKHINT", HintInspection::run,
            "CASKMANI", ManifestInspection::run,
            "CASKIMAG", ImageInspection::run,
            "MOSSWLOG", MossInspection::log,
            "MOSSSORT", MossInspection::sorted,
            "MOSSLIST", MossInspection::manifest);

    /** How files of a kind are shown. */
    @FunctionalInterface
    private interface Way {
        void show(FileWindow file, Findings findings) throws IOException;
    }

    private Inspector() {}

    /** Shows a file; returns false if it is none that this knows. */
    public static boolean show(FileWindow file, Findings findings) throws IOException {
        String magic = new String(file.copy(0, MAGIC_LENGTH), StandardCharsets.US_ASCII);
        Way way = KINDS.get(magic);
        if (way == null && MossInspection.isSorted(file)) {
            way = MossInspection::sorted;
        }
        if (way == null && file.has(BOLT_MAGIC_OFFSET, Integer.BYTES) && file.intAt(BOLT_MAGIC_OFFSET) == BOLT_MAGIC) {
            way = BoltInspection::run;
        }
        if (way == null) {
            return false;
        }
        way.show(file, findings);
        return true;
    }
}
