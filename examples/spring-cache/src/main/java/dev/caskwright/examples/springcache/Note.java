package dev.caskwright.examples.springcache;

import java.io.Serial;
import java.io.Serializable;

/**
 * What is known of a cask.
 *
 * @param cask its name
 * @param text what was found
 */
public record Note(String cask, String text) implements Serializable {
    @Serial
    private static final long serialVersionUID = 1;
}
