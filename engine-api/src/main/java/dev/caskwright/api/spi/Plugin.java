package dev.caskwright.api.spi;

/** A part that is found by name through {@link java.util.ServiceLoader}; see {@link Backends}. */
public interface Plugin {
    /** Returns the name users choose it by, such as {@code hashmap} or {@code mmap}: lower case, never changed. */
    String name();
}
