package dev.caskwright.moss;

import java.io.IOException;

/** Gives views of the present or of a snapshot's moment. */
interface ViewSource {
    /** Returns a view whose bottom is held until the caller releases it. */
    View hold() throws IOException;

    /** Returns whether what was read from here may go on being read. */
    default boolean isOpen() {
        return true;
    }
}
