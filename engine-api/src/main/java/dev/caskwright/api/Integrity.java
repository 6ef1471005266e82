package dev.caskwright.api;

import java.io.IOException;

/** Checks what is stored. Held by stores at rest, and by engines that can check a store while it is open. */
public interface Integrity extends Facet {
    /** Reads every byte of the store and returns what is damaged. Changes nothing. */
    VerifyReport verify() throws IOException;
}
