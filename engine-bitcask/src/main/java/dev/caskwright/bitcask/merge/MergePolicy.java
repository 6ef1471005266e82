package dev.caskwright.bitcask.merge;

import dev.caskwright.api.spi.log.LogSegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Decides in the background which sealed files to merge:
 *
 * <ul>
 *   <li>every file of which at least half is dead;
 *   <li>while all files together exceed the live bytes by more than the space amplification asked for, those with the
 *       greatest share of dead bytes, until they would not;
 *   <li>files of less than a quarter of the file size, once there are eight of them.
 * </ul>
 */
public final class MergePolicy {
    private static final double DEAD_RATIO = 0.5;
    private static final int SMALL_FILES = 8;
    private static final int SMALL_FRACTION = 4;

    private final double maxSpaceAmplification;
    private final long maxFileBytes;

    public MergePolicy(double maxSpaceAmplification, long maxFileBytes) {
        this.maxSpaceAmplification = maxSpaceAmplification;
        this.maxFileBytes = maxFileBytes;
    }

    /** Returns the files to merge, in the order of the log; empty if a merge is not worth its work. */
    List<LogSegment> choose(List<LogSegment> all) {
        return choose(all, file -> 0);
    }

    /**
     * As {@link #choose(List)}; what has expired is dead, too.
     *
     * @param expiredBytes returns about how many bytes of a file's records have expired
     */
    List<LogSegment> choose(List<LogSegment> all, ToLongFunction<LogSegment> expiredBytes) {
        List<LogSegment> counted = new ArrayList<>();
        for (LogSegment file : all) {
            long expired = Math.min(file.liveBytes(), expiredBytes.applyAsLong(file));
            counted.add(expired <= 0 ? file : new WithExpired(file, expired));
        }
        List<LogSegment> chosen = chooseCounted(counted);
        chosen.replaceAll(file -> file instanceof WithExpired counting ? counting.file : file);
        return chosen;
    }

    /** A file of which more is dead than the index knows. */
    private record WithExpired(LogSegment file, long expired) implements LogSegment {
        @Override
        public long id() {
            return file.id();
        }

        @Override
        public int slot() {
            return file.slot();
        }

        @Override
        public long length() {
            return file.length();
        }

        @Override
        public long liveBytes() {
            return file.liveBytes() - expired;
        }

        @Override
        public long deadBytes() {
            return file.deadBytes() + expired;
        }

        @Override
        public boolean isSealed() {
            return file.isSealed();
        }

        @Override
        public boolean isMerged() {
            return file.isMerged();
        }

        @Override
        public long lastVersion() {
            return file.lastVersion();
        }
    }

    private List<LogSegment> chooseCounted(List<LogSegment> all) {
        List<LogSegment> byDeadRatio = new ArrayList<>();
        long disk = 0;
        long live = 0;
        for (LogSegment file : all) {
            disk += file.length();
            live += file.liveBytes();
            if (file.isSealed()) {
                byDeadRatio.add(file);
            }
        }
        byDeadRatio.sort(Comparator.comparingDouble(MergePolicy::deadRatio).reversed());
        List<LogSegment> chosen = new ArrayList<>();
        for (LogSegment file : byDeadRatio) {
            boolean tooMuchDead = disk > live * maxSpaceAmplification && file.deadBytes() * 8 > file.length();
            if (deadRatio(file) < DEAD_RATIO && !tooMuchDead) {
                break;
            }
            chosen.add(file);
            disk -= file.deadBytes();
        }
        addSmall(byDeadRatio, chosen);
        chosen.sort(Comparator.comparingLong(LogSegment::id));
        return chosen;
    }

    private void addSmall(List<LogSegment> files, List<LogSegment> chosen) {
        List<LogSegment> small = new ArrayList<>();
        for (LogSegment file : files) {
            if (file.length() < maxFileBytes / SMALL_FRACTION && !chosen.contains(file)) {
                small.add(file);
            }
        }
        if (small.size() >= SMALL_FILES) {
            chosen.addAll(small);
        }
    }

    private static double deadRatio(LogSegment file) {
        return (double) file.deadBytes() / file.length();
    }
}
