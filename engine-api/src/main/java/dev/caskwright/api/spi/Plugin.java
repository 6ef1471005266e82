package dev.caskwright.api.spi;

/** A part that is found by name through {@link java.util.ServiceLoader}; see {@link dev.caskwright.api.spi.engine.Backends}. */
public interface Plugin {
    /** Returns the name users choose it by, such as {@code hashmap} or {@code mmap}: lower case, never changed. */
    String name();
}
