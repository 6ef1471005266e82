package dev.caskwright.moss;

import dev.caskwright.moss.file.Manifest;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;

/**
 * Which checkpoints stay: the newest ones up to a number, as long as they are not older than an age. The newest one of
 * all stays whatever its age, so that a clock that jumps cannot take the last state to go back to.
 *
 * @param kept how many stay, at least 1
 * @param millis how old they may be; 0 means any age
 */
record Retention(int kept, long millis, InstantSource clock) {
    /** Returns those that stay, oldest first as they were given. */
    List<Manifest.Checkpoint> retained(List<Manifest.Checkpoint> oldestFirst) {
        int count = oldestFirst.size();
        List<Manifest.Checkpoint> retained = new ArrayList<>();
        for (int i = Math.max(0, count - kept); i < count; i++) {
            Manifest.Checkpoint each = oldestFirst.get(i);
            if (i == count - 1 || !isOver(each)) {
                retained.add(each);
            }
        }
        return retained;
    }

    private boolean isOver(Manifest.Checkpoint checkpoint) {
        return millis > 0 && clock.millis() - checkpoint.millis() > millis;
    }

    /**
     * Returns after how many milliseconds one may be too old, whatever is made until then: 0 if one is, -1 if none will be.
     */
    long millisToNext(List<Manifest.Checkpoint> oldestFirst) {
        if (millis == 0) {
            return -1;
        }
        long now = clock.millis();
        long left = millis;
        for (int i = 0; i < oldestFirst.size() - 1; i++) {
            left = Math.min(left, oldestFirst.get(i).millis() + millis + 1 - now);
        }
        return Math.max(0, left);
    }
}
