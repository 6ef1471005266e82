package dev.caskwright.bitcask.log.segmented;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.MergeOutput;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.merge.MergedFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A merge of data files: numbers were set aside for its outputs, and one edit of the manifest lets them count. */
final class FileMerge implements LogMerge {
    /** Makes a file under a number. */
    @FunctionalInterface
    interface Maker {
        MergedFile create(long id) throws IOException;
    }

    private final IoManager io;
    private final Manifest manifest;
    private final long lastId;
    private final Maker maker;
    private boolean isInDoubt;
    private long nextId;

    FileMerge(IoManager io, Manifest manifest, long firstId, long lastId, Maker maker) {
        this.io = io;
        this.manifest = manifest;
        this.nextId = firstId;
        this.lastId = lastId;
        this.maker = maker;
    }

    @Override
    public MergeOutput newOutput() throws IOException {
        while (nextId <= lastId && !isFree(nextId)) {
            nextId++;
        }
        if (nextId > lastId) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE,
                    Outcome.NOT_APPLIED,
                    "a merge has no number left for its output, others may have files under them: last=" + lastId
                            + "; it takes new ones when it runs again",
                    null);
        }
        return maker.create(nextId++);
    }

    /** Returns whether nobody has put anything in the way of a number since it was set aside. */
    private boolean isFree(long id) throws IOException {
        List<String> names = new ArrayList<>(io.list());
        names.addAll(io.listObstacles());
        return names.stream().noneMatch(name -> FileNames.isOurs(name) && FileNames.id(name) == id);
    }

    @Override
    public void commit(List<LogSegment> inputs, List<LogSegment> outputs) throws IOException {
        // A crash may not list a file whose name is not there, so the names come first.
        io.syncDirectory();
        List<Manifest.Sealed> listed = new ArrayList<>();
        Map<Long, Long> sums = new TreeMap<>();
        long changesFrom = 0;
        for (LogSegment output : outputs) {
            DataFile file = (DataFile) output;
            listed.add(file.sealedEntry());
            file.putHintSum(sums);
        }
        List<Long> ids = new ArrayList<>();
        for (LogSegment input : inputs) {
            ids.add(input.id());
            changesFrom = Math.max(changesFrom, input.lastVersion());
        }
        try {
            manifest.merge(lastId, changesFrom, ids, listed, sums, this::beginWriting);
        } catch (OutOfSpaceException e) {
            isInDoubt = false; // the edit is not there whole
            throw e;
        }
    }

    private void beginWriting() {
        isInDoubt = true;
    }

    @Override
    public boolean isInDoubt() {
        return isInDoubt;
    }
}
