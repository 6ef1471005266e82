package dev.caskwright.cli.inspect;

import java.io.IOException;
import java.util.Map;

/** The edits of a manifest. */
final class ManifestInspection {
    private static final int EDITS = 1_536;
    private static final int EDIT_HEADER = 24;
    private static final int MAX_LONGS_SHOWN = 64;
    private static final int[] CLOCK_NOTES = {512, 1_024};
    private static final int MAX_NOTE = 504;
    private static final int ALIGNMENT = 8;

    private static final int CODEC = 8;

    private static final Map<Integer, String> TYPES =
            Map.of(1, "SEAL", 2, "MERGE", 3, "STATE", 4, "IMAGE", 5, "COPY", 6, "LINEAGE", 7, "HINTS", CODEC, "CODEC");

    private static final Map<Integer, String[]> NAMES = Map.of(
            1, new String[] {"id", "merged", "length", "firstVersion", "lastVersion", "history"},
            2, new String[] {"highestId", "changesFrom", "inputs", "outputs"},
            3, new String[] {"highestId", "lastLogId", "changesFrom", "lastVersion", "following"},
            4, new String[] {"number", "nonce", "sum"},
            5, new String[] {"kind", "finished", "history", "version"});

    private ManifestInspection() {}

    static void run(FileWindow file, Findings findings) throws IOException {
        if (!CaskFormat.hasHeader(file, findings)) {
            return;
        }
        findings.found(0, "manifest", "format", file.intAt(8), "store", CaskFormat.store(file));
        long seed = CaskFormat.storeSeed(file);
        for (int at : CLOCK_NOTES) {
            clockNote(file, findings, at, seed);
        }
        long at = EDITS;
        while (at < file.length()) {
            if (isHeadSound(file, at, seed)) {
                // Its length is believed, also where the content is not sound: to look for others within it would take
                // time
                // that grows with the square of what is damaged.
                long end = at + EDIT_HEADER + file.intAt(at + 4);
                if (file.checksum(at + EDIT_HEADER, file.intAt(at + 4)) == file.intAt(at + 16)) {
                    edit(file, findings, at, end);
                } else {
                    findings.damaged(at, "bad checksum of the content of an edit: type=" + file.byteAt(at + 8));
                }
                at = end;
                continue;
            }
            if (file.skipZeros(at) == file.length()) {
                findings.found(at, "zeros", "length", file.length() - at);
                return;
            }
            long next = at + ALIGNMENT;
            while (next < file.length() && !isHeadSound(file, next, seed)) {
                next += ALIGNMENT;
            }
            findings.damaged(
                    at,
                    next < file.length()
                            ? "no sound edit; the next one is at " + next
                            : "no sound edit, nor after it: damage, or the torn end of what a crash cut short");
            at = next;
        }
    }

    private static void clockNote(FileWindow file, Findings findings, int at, long seed) throws IOException {
        if (!file.has(at, MAX_NOTE + ALIGNMENT)) {
            return;
        }
        int length = file.intAt(at + 4);
        if (length == 0 && file.intAt(at) == 0) {
            return; // a slot that was not written yet
        }
        boolean isSound = length >= ALIGNMENT
                && length <= MAX_NOTE
                && (file.checksum(at + 4, 4L + length) ^ CaskFormat.mask(seed, at)) == file.intAt(at);
        if (isSound) {
            findings.found(at, "clock note", "serial", file.longAt(at + 8), "longs", length / Long.BYTES - 1);
        } else {
            findings.damaged(at, "no sound clock note; the other slot counts, if it is sound");
        }
    }

    /** Returns whether there is the sound head of an edit, whose content lies within the file. */
    private static boolean isHeadSound(FileWindow file, long at, long seed) throws IOException {
        if (!file.has(at, EDIT_HEADER)) {
            return false;
        }
        int length = file.intAt(at + 4);
        return length >= 0
                && length % Long.BYTES == 0
                && length <= file.length() - at - EDIT_HEADER
                && (file.checksum(at + 4, EDIT_HEADER - 4) ^ CaskFormat.mask(seed, at)) == file.intAt(at);
    }

    private static void edit(FileWindow file, Findings findings, long at, long end) throws IOException {
        int type = file.byteAt(at + 8);
        long forcedBefore = file.longAt(at + 8) >>> 8;
        long longs = (end - at - EDIT_HEADER) / Long.BYTES;
        if (type == CODEC && longs > 0) {
            codec(file, findings, at, end);
            return;
        }
        String[] names = NAMES.getOrDefault(type, new String[0]);
        int named = (int) Math.min(names.length, longs);
        int others = (int) Math.min(MAX_LONGS_SHOWN, longs - named);
        Object[] fields = new Object[2 * (named + 1) + (longs > named ? 4 : 0)];
        fields[0] = "forcedBefore";
        fields[1] = forcedBefore;
        for (int i = 0; i < named; i++) {
            fields[2 * i + 2] = names[i];
            long value = file.longAt(at + EDIT_HEADER + (long) i * Long.BYTES);
            boolean isRandom = names[i].equals("history") || names[i].equals("nonce") || names[i].equals("sum");
            fields[2 * i + 3] = isRandom ? CaskFormat.hex(value) : (Object) value;
        }
        if (longs > named) {
            StringBuilder rest = new StringBuilder();
            for (int i = 0; i < others; i++) {
                rest.append(i == 0 ? "" : " ").append(file.longAt(at + EDIT_HEADER + (named + (long) i) * Long.BYTES));
            }
            int place = 2 * (named + 1);
            fields[place] = "more";
            fields[place + 1] = rest + (others < longs - named ? " ..." : "");
            fields[place + 2] = "moreLongs";
            fields[place + 3] = longs - named;
        }
        findings.found(at, TYPES.getOrDefault(type, "unknown type " + type), fields);
    }

    private static void codec(FileWindow file, Findings findings, long at, long end) throws IOException {
        long word = file.longAt(at + EDIT_HEADER);
        long text = at + EDIT_HEADER + Long.BYTES;
        findings.found(
                at,
                TYPES.getOrDefault(CODEC, ""),
                "forcedBefore",
                file.longAt(at + 8) >>> 8,
                "codec",
                word & 0xFF,
                "dictionary",
                word >>> 8 & 0xFF,
                "name",
                file.copy(text, Math.min(word >>> 16 & 0xFFFF, end - text)),
                "dictionaryLength",
                word >>> 32);
    }
}
