package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The stores that are measured, as factories. Each store's class says where its settings come from. */
public enum Contender {
    HASHMAP_MMAP("hashmap", "mmap"),
    HASHMAP_STANDARD("hashmap", "standard"),
    COMPACT_MMAP("compact", "mmap"),
    COMPACT_STANDARD("compact", "standard"),
    OFFHEAP_MMAP("offheap", "mmap"),
    OFFHEAP_STANDARD("offheap", "standard"),
    SORTED_MMAP("sorted", "mmap"),
    SORTED_STANDARD("sorted", "standard"),
    BTREE_MMAP("btree", "mmap"),
    BTREE_STANDARD("btree", "standard"),
    BOLT(
            "bolt + mmap",
            "caskwright-engine-bolt",
            Durability.WRITE,
            true,
            true,
            "bolt",
            CaskwrightStore::openBolt,
            "a commit per put, which threads share, forced only at SYNC"),
    MOSS(
            "moss + mmap",
            "caskwright-engine-moss",
            Durability.WRITE,
            true,
            true,
            "moss",
            CaskwrightStore::openMoss,
            "defaults: files of its own, log on; persisted, merged and compacted in the background"),
    ROCKSDB(
            "RocksDB",
            "rocksdbjni",
            Durability.WRITE,
            true,
            true,
            RocksDbStore::open,
            "512 MiB block cache, Bloom filter 10 bits, hash index in blocks, no compression, log on; compacted before reads"),
    LMDB(
            "LMDB",
            "lmdbjava",
            Durability.WRITE,
            true,
            true,
            LmdbStore::open,
            "WRITEMAP, MAPASYNC and NOSYNC (SYNC: its defaults), one read transaction a thread, reset and renewed"),
    MVSTORE(
            "H2 MVStore",
            "h2-mvstore",
            Durability.NONE,
            true,
            true,
            MvStoreStore::open,
            "commits every second in the background, 512 MiB cache (SYNC: commit and force per put)"),
    MAPDB_HASH(
            "MapDB hash",
            "mapdb",
            Durability.NONE,
            true,
            false,
            MapDbStore::openHashMap,
            "HTreeMap, mapped file, no transactions (SYNC: log on, commit per put)"),
    MAPDB_TREE(
            "MapDB tree",
            "mapdb",
            Durability.NONE,
            true,
            true,
            MapDbStore::openTreeMap,
            "BTreeMap, mapped file, no transactions (SYNC: log on, commit per put)"),
    CHRONICLE(
            "Chronicle Map",
            "chronicle-map",
            Durability.WRITE,
            false,
            false,
            ChronicleMapStore::open,
            "persisted, sized exactly, constant key and value sizes, no previous values returned"),
    XODUS(
            "Xodus",
            "xodus-environment",
            Durability.WRITE,
            true,
            true,
            XodusStore::open,
            "512 MiB log cache, exclusive transaction per put (SYNC: durableWrite)"),
    HEAP_MAP(
            "ConcurrentHashMap",
            "",
            Durability.NONE,
            false,
            false,
            (directory, options) -> new HeapMapStore(),
            "on the heap, copies keys and values; not a store, nothing survives");

    /** Opens a store. */
    @FunctionalInterface
    interface Factory {
        /** Opens the store in a directory, or makes it. */
        KeyValueStore open(Path directory, StoreOptions options) throws IOException;
    }

    private final String label;
    private final String artifact;
    private final Durability level;
    private final boolean syncs;
    private final boolean ordered;
    private final String engine; // the name of one of ours, or empty
    /** A stateless lambda. */
    @SuppressWarnings("ImmutableEnumChecker")
    private final Factory factory;

    private final String settings;

    Contender(String index, String io) {
        this.label = index + " + " + io;
        this.artifact = "caskwright-engine-bitcask";
        this.level = Durability.WRITE;
        this.syncs = true;
        this.ordered = index.equals("btree") || index.equals("sorted");
        this.engine = "bitcask";
        this.factory = (directory, options) -> CaskwrightStore.open(directory, options, index, io);
        this.settings = "defaults: checksums verified on every read, merge in the background";
    }

    Contender(
            String label,
            String artifact,
            Durability level,
            boolean syncs,
            boolean ordered,
            Factory factory,
            String settings) {
        this(label, artifact, level, syncs, ordered, "", factory, settings);
    }

    Contender(
            String label,
            String artifact,
            Durability level,
            boolean syncs,
            boolean ordered,
            String engine,
            Factory factory,
            String settings) {
        this.label = label;
        this.artifact = artifact;
        this.level = level;
        this.syncs = syncs;
        this.ordered = ordered;
        this.engine = engine;
        this.factory = factory;
        this.settings = settings;
    }

    /** Returns the name for options and files: {@code hashmap-mmap}, {@code rocksdb}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the name for people. */
    public String label() {
        return label;
    }

    /** Returns whether this is an engine of ours. */
    public boolean isOurs() {
        return !engine.isEmpty();
    }

    /**
     * Returns the contenders that are stores of an engine of ours.
     *
     * @throws IllegalArgumentException if there is none; the message lists the engines that are measured
     */
    public static List<Contender> ofEngine(String name) {
        List<Contender> found = Arrays.stream(values())
                .filter(contender -> contender.isOurs() && contender.engine.equals(name))
                .toList();
        if (found.isEmpty()) {
            throw new IllegalArgumentException("no contender of this engine: name=" + name + ", known="
                    + Arrays.stream(values())
                            .filter(Contender::isOurs)
                            .map(contender -> contender.engine)
                            .distinct()
                            .collect(Collectors.joining(", ")));
        }
        return found;
    }

    /** Returns what a put survives as the store is set up where nothing is forced: NONE or WRITE. */
    public Durability level() {
        return level;
    }

    /** Returns whether the store can make every put survive a power loss. */
    public boolean canSync() {
        return syncs;
    }

    /** Returns whether the store has an order of keys. */
    public boolean isOrdered() {
        return ordered;
    }

    /** Returns the settings in a line. */
    public String settings() {
        return settings;
    }

    /** Returns the version of the library, or of the JDK's map. */
    public String version() {
        return artifact.isEmpty() ? "JDK" : Machine.libraryVersion(artifact);
    }

    /** Opens the store, or makes it. */
    KeyValueStore open(Path directory, StoreOptions options) throws IOException {
        return factory.open(directory, options);
    }

    /**
     * Returns the contender of that id.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known ids
     */
    public static Contender of(String id) {
        for (Contender contender : values()) {
            if (contender.id().equals(id)) {
                return contender;
            }
        }
        throw new IllegalArgumentException("unknown contender: name=" + id + ", known="
                + Arrays.stream(values()).map(Contender::id).collect(Collectors.joining(", ")));
    }
}
