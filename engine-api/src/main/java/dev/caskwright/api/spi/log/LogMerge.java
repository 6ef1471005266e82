package dev.caskwright.api.spi.log;

import java.io.IOException;
import java.util.List;

/**
 * A merge that a log has begun: ids are set aside for its outputs, and whatever is written from then on is later in the log. It
 * takes place with {@link #commit}; without that the outputs are to be removed. For one thread at a time.
 */
public interface LogMerge {
    /**
     * Makes a segment to write to, under the next of the ids set aside that nothing is in the way of.
     *
     * @throws dev.caskwright.api.EngineException of code UNAVAILABLE and outcome NOT_APPLIED if no id is left; another merge
     *     takes new ones
     */
    MergeOutput newOutput() throws IOException;

    /**
     * Replaces segments by outputs, which are finished, durably and at once. All that was left before is sealed ({@link
     * RecordLog#sealLeft}). Whatever it throws, {@link #isInDoubt} tells whether the merge may have taken place.
     */
    void commit(List<LogSegment> inputs, List<LogSegment> outputs) throws IOException;

    /**
     * Returns whether a {@link #commit} that threw may have taken place all the same, which the next opening decides. If not,
     * the log is as it was before.
     */
    boolean isInDoubt();
}
