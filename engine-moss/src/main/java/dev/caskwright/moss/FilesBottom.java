package dev.caskwright.moss;

import dev.caskwright.moss.file.SortedFile;
import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MergingCursor;
import dev.caskwright.moss.memory.Probe;
import java.io.IOException;
import java.util.List;

/** The store's own files as they were listed at one moment. */
final class FilesBottom extends Bottom {
    private final FileStore store;
    private final List<SortedFile> files; // newest first, each held once
    private final long version;

    FilesBottom(FileStore store, List<SortedFile> files, long version) {
        this.store = store;
        this.files = files;
        this.version = version;
    }

    List<SortedFile> files() {
        return files;
    }

    @Override
    void dispose() {
        files.forEach(SortedFile::release);
    }

    @Override
    boolean isPersistent() {
        return true;
    }

    @Override
    long version() {
        return version;
    }

    @Override
    void search(Probe probe) throws IOException {
        for (int i = 0; i < files.size() && !probe.isDone(); i++) {
            files.get(i).search(probe);
        }
    }

    @Override
    void addSources(List<MergingCursor.Source> sources) {
        for (SortedFile file : files) {
            sources.add(new MergingCursor.Source(file.cursor(), file.ranges()));
        }
    }

    @Override
    Landing persist(List<Layer> newestFirst, long last) throws IOException {
        return store.persist(newestFirst, last);
    }
}
