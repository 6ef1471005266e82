package dev.caskwright.importer.lmdb;

import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.Parts;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import dev.caskwright.importer.lmdb.LmdbFile.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * An environment of LMDB: its directory, or its file if it was made without one. The part is a named database; the unnamed one is read
 * if there are no others, or if {@code .} is asked for.
 *
 * <p>The file is read by ourselves: LMDB maps it and believes it, so that one damaged byte may end the process. It has no checksums; what
 * is told as damage is what makes no sense.
 */
public final class LmdbFormat implements ForeignFormat {
    private static final String UNNAMED = ".";

    /** Called by {@link java.util.ServiceLoader}. */
    public LmdbFormat() {}

    @Override
    public String name() {
        return "lmdb";
    }

    @Override
    public String description() {
        return "an environment of LMDB, a directory or a file";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        Path path = Files.isDirectory(source) ? source.resolve("data.mdb") : source;
        if (!Files.isRegularFile(path)) {
            throw new NoSuchFileException(path.toString(), null, "no environment of LMDB");
        }
        try (LmdbFile file = LmdbFile.open(path)) {
            Catalogue catalogue = new Catalogue();
            new LmdbWalk(file, receiver, true, catalogue).tree(file.unnamed());
            Map<String, Tree> parts = new TreeMap<>(catalogue.databases);
            if (catalogue.entries > 0 || parts.isEmpty()) {
                parts.put(UNNAMED, file.unnamed());
            }
            String part = Parts.choose(options, parts.keySet(), "database (" + UNNAMED + " is the unnamed one)");
            boolean isUnnamed = part.equals(UNNAMED);
            LmdbWalk walk = new LmdbWalk(file, receiver, !isUnnamed, new Entries(receiver));
            walk.tree(Objects.requireNonNull(parts.get(part)));
            file.checkUnchanged();
            if (isUnnamed && !catalogue.databases.isEmpty()) {
                receiver.skipped("named databases", catalogue.databases.size());
            }
            if (walk.furtherValues() > 0) {
                receiver.skipped("values beside the first one of their key", walk.furtherValues());
            }
        }
    }

    /** Notes what the unnamed database has. */
    private static final class Catalogue implements LmdbWalk.Visitor {
        final Map<String, Tree> databases = new TreeMap<>();
        long entries;

        @Override
        public void entry(byte[] key, LmdbWalk.Value value) {
            entries++;
        }

        @Override
        public void database(byte[] name, Tree tree) {
            databases.put(Parts.name(name), tree);
        }
    }

    /** Tells entries, and passes over databases. */
    private record Entries(Receiver receiver) implements LmdbWalk.Visitor {
        @Override
        public void entry(byte[] key, LmdbWalk.Value value) throws IOException {
            byte[] bytes = value.read();
            if (bytes != null) {
                receiver.entry(key, bytes, Receiver.NEVER);
            }
        }

        @Override
        public void database(byte[] name, Tree tree) {}
    }
}
