package dev.caskwright.bitcask;

import dev.caskwright.api.spi.LogSegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

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
final class MergePolicy {
    private static final double DEAD_RATIO = 0.5;
    private static final int SMALL_FILES = 8;
    private static final int SMALL_FRACTION = 4;

    private final double maxSpaceAmplification;
    private final long maxFileBytes;

    MergePolicy(double maxSpaceAmplification, long maxFileBytes) {
        this.maxSpaceAmplification = maxSpaceAmplification;
        this.maxFileBytes = maxFileBytes;
    }

    /** Returns the files to merge, in the order of the log; empty if a merge is not worth its work. */
    List<LogSegment> choose(List<LogSegment> all) {
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
