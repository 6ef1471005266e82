package dev.caskwright.testkit;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The names of one directory of a simulated disk: as seen now, as durable, and the changes in between in their order. */
final class SimulatedDirectory {
    /** A name that goes, one that comes, or (a rename) both at once. */
    private record Change(
            long number, @Nullable String removed, @Nullable String added, SimulatedFile file) {}

    private final TreeMap<String, SimulatedFile> cached;
    private final TreeMap<String, SimulatedFile> durable;
    private final List<Change> unsynced = new ArrayList<>();

    /** Those who hold the lock: one manager if exclusive, else any number. */
    final Set<CrashableIoManager> lockHolders = new HashSet<>();

    boolean isLockExclusive;

    SimulatedDirectory(Map<String, SimulatedFile> cached, Map<String, SimulatedFile> durable) {
        this.cached = new TreeMap<>(cached);
        this.durable = new TreeMap<>(durable);
    }

    Map<String, SimulatedFile> files() {
        return cached;
    }

    void add(long number, String name, SimulatedFile file) {
        cached.put(name, file);
        file.links++;
        unsynced.add(new Change(number, null, name, file));
    }

    void remove(long number, String name, SimulatedFile file) {
        cached.remove(name);
        file.links--;
        unsynced.add(new Change(number, name, null, file));
    }

    void rename(long number, String from, String to, SimulatedFile file) {
        cached.remove(from);
        SimulatedFile replaced = cached.put(to, file);
        if (replaced != null) {
            replaced.links--;
        }
        unsynced.add(new Change(number, from, to, file));
    }

    void sync() {
        durable.clear();
        durable.putAll(cached);
        unsynced.clear();
    }

    /** Adds a file whose name needs no sync. */
    void install(String name, SimulatedFile file) {
        cached.put(name, file);
        durable.put(name, file);
        file.links++;
    }

    /** Returns the directory as other processes see it after its user died, with each file replaced by its image. */
    SimulatedDirectory afterKill(UnaryOperator<SimulatedFile> images) {
        SimulatedDirectory copy = new SimulatedDirectory(replace(cached, images), replace(durable, images));
        copy.cached.values().forEach(file -> file.links++);
        for (Change change : unsynced) {
            copy.unsynced.add(new Change(change.number, change.removed, change.added, images.apply(change.file)));
        }
        return copy;
    }

    /** Returns names that the directory may have after a power loss now. */
    Map<String, SimulatedFile> afterPowerLoss(DirectoryLoss loss, SplittableRandom random) {
        return switch (loss) {
            case DROP_ALL -> durable;
            case KEEP_ALL -> cached;
            case PREFIX ->
                firstChanges(
                        unsynced.isEmpty()
                                ? 0
                                : unsynced.get(random.nextInt(unsynced.size())).number());
            case RANDOM -> {
                Map<String, SimulatedFile> names = new TreeMap<>(durable);
                for (Change change : unsynced) {
                    if (random.nextBoolean()) {
                        apply(names, change);
                    }
                }
                yield names;
            }
        };
    }

    /** Returns the names with the changes before a number. */
    Map<String, SimulatedFile> firstChanges(long number) {
        Map<String, SimulatedFile> names = new TreeMap<>(durable);
        for (Change change : unsynced) {
            if (change.number() < number) {
                apply(names, change);
            }
        }
        return names;
    }

    void collectNumbers(List<Long> numbers) {
        unsynced.forEach(change -> numbers.add(change.number()));
    }

    private static void apply(Map<String, SimulatedFile> names, Change change) {
        if (change.removed() != null) {
            names.remove(change.removed());
        }
        if (change.added() != null) {
            names.put(change.added(), change.file());
        }
    }

    static Map<String, SimulatedFile> replace(Map<String, SimulatedFile> names, UnaryOperator<SimulatedFile> images) {
        Map<String, SimulatedFile> replaced = new TreeMap<>();
        names.forEach((name, file) -> replaced.put(name, images.apply(file)));
        return replaced;
    }
}
