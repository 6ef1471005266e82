package dev.caskwright.moss;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Gives views of the present or of a snapshot's moment. */
interface ViewSource {
    /** Returns a view whose bottom is held until the caller releases it. */
    View hold() throws IOException;

    /** Returns a copy of the value of a key as the layers have it, or null. */
    default byte @Nullable [] get(byte[] key) throws IOException {
        View view = hold();
        try {
            return view.search(key).value();
        } finally {
            view.stack.bottom.release();
        }
    }
}
