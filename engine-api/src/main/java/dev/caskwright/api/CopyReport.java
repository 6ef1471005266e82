package dev.caskwright.api;

import java.util.List;

/**
 * What a backup, a checkpoint or a restored store holds.
 *
 * @param lastVersion the version of the last write that is in it
 * @param files data files in it
 * @param bytes their length
 * @param filesBrought how many of these files this run brought; the others were there
 * @param bytesBrought their length
 * @param doubts what is not in it although the store could be read there once, and which files in the target were left
 *     alone since they are none of ours; empty if all is as it should be
 */
public record CopyReport(
        long lastVersion, long files, long bytes, long filesBrought, long bytesBrought, List<String> doubts) {}
