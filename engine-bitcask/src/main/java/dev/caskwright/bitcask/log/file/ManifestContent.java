package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.bitcask.log.format.CodecNote;
import dev.caskwright.bitcask.log.format.CopyMark;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Lineage;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the edits of a {@link Manifest} add up to. It has the layout of each edit, in longs; checks that one is possible after
 * those before it; and applies it. It touches no file. Guarded by its manifest.
 */
final class ManifestContent {
    // The longs of a SEAL, after its type. Those of a MERGE's output follow one another alike, without MERGED.
    private static final int ID = 1;
    private static final int MERGED = 2;
    private static final int LENGTH = 3;
    private static final int FIRST_VERSION = 4;
    private static final int LAST_VERSION = 5;
    private static final int HISTORY = 6;
    private static final int SEAL_WORDS = 7;

    private static final int MERGE_HIGHEST_ID = 1;
    private static final int MERGE_CHANGES_FROM = 2;
    private static final int MERGE_INPUTS = 3;
    private static final int MERGE_OUTPUTS = 4;
    private static final int MERGE_LISTS = 5; // the inputs, then the outputs

    private static final int STATE_HIGHEST_ID = 1;
    private static final int STATE_LAST_LOG_ID = 2;
    private static final int STATE_CHANGES_FROM = 3;
    private static final int STATE_LAST_VERSION = 4;
    private static final int STATE_FOLLOWING = 5;
    private static final int STATE_WORDS = 6;

    private static final int IMAGE_NUMBER = 1;
    private static final int IMAGE_NONCE = 2;
    private static final int IMAGE_SUM = 3;
    private static final int IMAGE_WORDS = 4;

    private static final int OUTPUT_WORDS = 5;

    private static final int SEAL = 1;
    private static final int MERGE = 2;
    private static final int STATE = 3;
    private static final int IMAGE = 4;
    private static final int COPY = 5;
    private static final int LINEAGE = 6;
    private static final int HINTS = 7;
    static final int CODEC = 8;

    final TreeMap<Long, Manifest.Sealed> files = new TreeMap<>();
    final TreeMap<Long, Long> hintSums = new TreeMap<>();
    final TreeMap<Integer, CodecNote> codecs = new TreeMap<>();
    long highestId;
    long lastLogId;
    long changesFrom;
    long lastVersion;
    Manifest.@Nullable Image image;

    @Nullable CopyMark copy;

    Lineage lineage = Lineage.EMPTY;

    /** Applies an edit; returns how many of those that follow it are part of the start of the manifest. */
    long apply(ManifestReader reader, long at, boolean isFirst, boolean isStart) throws IOException {
        int type = reader.type(at);
        if (type < SEAL || type > CODEC) {
            throw new UnsupportedFormatException("unknown manifest edit: type=" + type
                    + "; open the store with the version of the library that wrote it");
        }
        // The number of longs is compared with what there is before they are read.
        long[] words = reader.words(at) <= mostWords(reader, at, type) ? reader.allWords(at) : new long[0];
        if ((type == STATE) != isFirst || !isPossible(type, words, isStart)) {
            throw new CorruptRecordException(
                    "impossible manifest edit", FileNames.MANIFEST, at, "type=" + type + ", longs=" + reader.words(at));
        }
        if (!isStart && (type == SEAL || type == MERGE)) {
            copy = null; // it has gone its own way since
        }
        switch (type) {
            case SEAL -> applySeal(sealOf(words));
            case MERGE -> applyMerge(words);
            case STATE -> applyState(words);
            case IMAGE -> image = new Manifest.Image(words[IMAGE_NUMBER], words[IMAGE_NONCE], words[IMAGE_SUM]);
            case COPY -> copy = CopyMark.ofWords(words);
            case LINEAGE -> lineage = Lineage.ofWords(words);
            case CODEC -> noteCodec(CodecNote.ofWords(words));
            default -> applyHints(words);
        }
        return type == STATE ? words[STATE_FOLLOWING] : 0;
    }

    /** Returns how many longs an edit can have: no merge has more inputs, and no HINTS more hint files, than there are files. */
    private long mostWords(ManifestReader reader, long at, int type) throws IOException {
        if (type == HINTS) {
            return 1 + 2L * files.size();
        }
        if (type == CODEC) {
            return CodecNote.MOST_WORDS;
        }
        if (type != MERGE) {
            return type == LINEAGE ? Lineage.MOST_WORDS : SEAL_WORDS;
        }
        boolean isPossible = reader.words(at) >= MERGE_LISTS
                && reader.word(at, MERGE_INPUTS) >= 0
                && reader.word(at, MERGE_INPUTS) <= files.size();
        return isPossible ? Integer.MAX_VALUE : 0;
    }

    /** A right checksum does not make an edit possible: anyone who can make files can make checksums. */
    boolean isPossible(int type, long[] words, boolean isStart) {
        return switch (type) {
            case SEAL -> isPossibleSeal(words, isStart);
            case STATE -> isPossibleState(words);
            case IMAGE -> words.length == IMAGE_WORDS && FileNames.isFileNumber(words[IMAGE_NUMBER]);
            case COPY -> CopyMark.isPossible(words);
            case LINEAGE -> words.length > 0 && Lineage.isPossible(words);
            case HINTS -> words.length % 2 == 1;
            case CODEC -> CodecNote.isPossible(words) && fits(CodecNote.ofWords(words));
            default -> !isStart && isPossibleMerge(words);
        };
    }

    /** Returns whether a codec can be noted: it is new, or the same was noted before. */
    private boolean fits(CodecNote note) {
        CodecNote known = codecs.get(note.key());
        return known == null ? codecs.size() < CodecNote.MOST : known.isSame(note);
    }

    private boolean isPossibleSeal(long[] words, boolean isStart) {
        if (!isStart && words.length == SEAL_WORDS && sealOf(words).equals(files.get(words[ID]))) {
            return true; // written again, since the disk was full when one that followed it was to be written
        }
        if (words.length != SEAL_WORDS
                || !isPossibleFile(words, ID, LENGTH)
                || (words[MERGED] != 0 && words[MERGED] != 1)) {
            return false;
        }
        boolean isMerged = words[MERGED] == 1;
        if (isStart) { // the STATE knows of it
            return words[ID] <= highestId && words[LAST_VERSION] <= lastVersion && (isMerged || words[ID] <= lastLogId);
        }
        // Files are sealed in the order of the log; what a merge writes is listed by a MERGE.
        return !isMerged && words[ID] > lastLogId && (words[FIRST_VERSION] == 0 || words[FIRST_VERSION] > lastVersion);
    }

    private static Manifest.Sealed sealOf(long[] words) {
        return new Manifest.Sealed(
                words[ID],
                words[MERGED] != 0,
                words[LENGTH],
                words[FIRST_VERSION],
                words[LAST_VERSION],
                words[HISTORY]);
    }

    private static boolean isPossibleState(long[] words) {
        return words.length == STATE_WORDS
                && words[STATE_HIGHEST_ID] <= FileNames.MAX_NUMBER
                && words[STATE_LAST_LOG_ID] >= 0
                && words[STATE_LAST_LOG_ID] <= words[STATE_HIGHEST_ID]
                && words[STATE_CHANGES_FROM] >= 0
                && words[STATE_CHANGES_FROM] <= words[STATE_LAST_VERSION]
                && words[STATE_LAST_VERSION] <= RecordFormat.LAST_VERSION
                && words[STATE_FOLLOWING] >= 0
                && words[STATE_FOLLOWING] <= FileNames.MAX_NUMBER;
    }

    private boolean isPossibleMerge(long[] words) {
        boolean hasItsLength = words.length >= MERGE_LISTS
                && words[MERGE_OUTPUTS] >= 0
                && words[MERGE_OUTPUTS] <= words.length
                && words.length == MERGE_LISTS + words[MERGE_INPUTS] + OUTPUT_WORDS * words[MERGE_OUTPUTS];
        if (!hasItsLength
                || !FileNames.isFileNumber(words[MERGE_HIGHEST_ID])
                || words[MERGE_CHANGES_FROM] < 0
                || words[MERGE_CHANGES_FROM] > lastVersion) {
            return false;
        }
        Set<Long> inputs = new HashSet<>();
        int at = MERGE_LISTS;
        for (; at < MERGE_LISTS + words[MERGE_INPUTS]; at++) {
            if (!files.containsKey(words[at]) || !inputs.add(words[at])) {
                return false;
            }
        }
        Set<Long> outputs = new HashSet<>();
        for (; at < words.length; at += OUTPUT_WORDS) {
            if (!isPossibleFile(words, at, at + 1) || words[at] > words[MERGE_HIGHEST_ID] || !outputs.add(words[at])) {
                return false;
            }
        }
        return true;
    }

    /** Checks the number of a file that is to be listed, and from {@code lengthAt} on its length and its versions. */
    private boolean isPossibleFile(long[] words, int idAt, int lengthAt) {
        long length = words[lengthAt];
        long first = words[lengthAt + 1];
        long last = words[lengthAt + 2];
        return FileNames.isFileNumber(words[idAt])
                && !files.containsKey(words[idAt])
                && length >= DataFile.HEADER_LENGTH
                && length <= RecordFormat.MAX_FILE_LENGTH
                && length % RecordFormat.ALIGNMENT == 0
                && (first == 0 ? last == 0 : first > 0 && first <= last && last <= RecordFormat.LAST_VERSION);
    }

    void applySeal(Manifest.Sealed sealed) {
        files.put(sealed.id(), sealed);
        highestId = Math.max(highestId, sealed.id());
        lastVersion = Math.max(lastVersion, sealed.lastVersion());
        if (!sealed.merged()) {
            lastLogId = Math.max(lastLogId, sealed.id());
            lineage = lineage.with(sealed.history(), sealed.firstVersion());
        }
    }

    void applyMerge(long[] words) {
        highestId = Math.max(highestId, words[MERGE_HIGHEST_ID]);
        changesFrom = Math.max(changesFrom, words[MERGE_CHANGES_FROM]);
        image = null; // it names records of the inputs
        int inputs = (int) words[MERGE_INPUTS];
        int outputs = (int) words[MERGE_OUTPUTS];
        int at = MERGE_LISTS;
        for (int i = 0; i < inputs; i++, at++) {
            files.remove(words[at]);
            hintSums.remove(words[at]);
        }
        for (int i = 0; i < outputs; i++, at += OUTPUT_WORDS) {
            applySeal(new Manifest.Sealed(words[at], true, words[at + 1], words[at + 2], words[at + 3], words[at + 4]));
        }
    }

    private void applyHints(long[] words) {
        for (int at = 1; at < words.length; at += 2) {
            if (files.containsKey(words[at])) {
                hintSums.put(words[at], words[at + 1]);
            }
        }
    }

    private void applyState(long[] words) {
        highestId = Math.max(highestId, words[STATE_HIGHEST_ID]);
        lastLogId = Math.max(lastLogId, words[STATE_LAST_LOG_ID]);
        changesFrom = Math.max(changesFrom, words[STATE_CHANGES_FROM]);
        lastVersion = Math.max(lastVersion, words[STATE_LAST_VERSION]);
    }

    void noteState(long newHighestId, long newChangesFrom, long newLastVersion) {
        applyState(stateWords(newHighestId, 0, newChangesFrom, newLastVersion, 0));
    }

    void noteCodec(CodecNote note) {
        codecs.put(note.key(), note);
    }

    /** Forgets the hint files of data files that are not listed any more. */
    void forgetHintsOfUnlisted() {
        hintSums.keySet().retainAll(files.keySet());
    }

    /** Returns the edits that a manifest of this content starts with. */
    List<long[]> startEdits() {
        List<long[]> following = new ArrayList<>();
        for (Manifest.Sealed sealed : files.values()) {
            following.add(sealWords(sealed));
        }
        if (!hintSums.isEmpty()) {
            following.add(hintWords(hintSums));
        }
        if (image != null) {
            following.add(imageWords(image));
        }
        if (copy != null) {
            following.add(copy.words(COPY));
        }
        if (lineage != Lineage.EMPTY) {
            following.add(lineage.words(LINEAGE));
        }
        for (CodecNote codec : codecs.values()) {
            following.add(codec.words(CODEC));
        }
        following.add(0, stateWords(highestId, lastLogId, changesFrom, lastVersion, following.size()));
        return following;
    }

    private static long[] stateWords(
            long highestId, long lastLogId, long changesFrom, long lastVersion, long following) {
        return new long[] {STATE, highestId, lastLogId, changesFrom, lastVersion, following};
    }

    static long[] sealWords(Manifest.Sealed sealed) {
        return new long[] {
            SEAL,
            sealed.id(),
            sealed.merged() ? 1 : 0,
            sealed.length(),
            sealed.firstVersion(),
            sealed.lastVersion(),
            sealed.history()
        };
    }

    static long[] imageWords(Manifest.Image image) {
        return new long[] {IMAGE, image.number(), image.nonce(), image.sum()};
    }

    static long[] hintWords(Map<Long, Long> sums) {
        long[] words = new long[1 + 2 * sums.size()];
        words[0] = HINTS;
        int at = 1;
        for (Map.Entry<Long, Long> each : sums.entrySet()) {
            words[at++] = each.getKey();
            words[at++] = each.getValue();
        }
        return words;
    }

    static long[] mergeWords(
            long highest, long newChangesFrom, Collection<Long> inputs, List<Manifest.Sealed> outputs) {
        long[] words = new long[MERGE_LISTS + inputs.size() + OUTPUT_WORDS * outputs.size()];
        words[0] = MERGE;
        words[MERGE_HIGHEST_ID] = highest;
        words[MERGE_CHANGES_FROM] = newChangesFrom;
        words[MERGE_INPUTS] = inputs.size();
        words[MERGE_OUTPUTS] = outputs.size();
        int at = MERGE_LISTS;
        for (long input : inputs) {
            words[at++] = input;
        }
        for (Manifest.Sealed output : outputs) {
            words[at++] = output.id();
            words[at++] = output.length();
            words[at++] = output.firstVersion();
            words[at++] = output.lastVersion();
            words[at++] = output.history();
        }
        return words;
    }
}
