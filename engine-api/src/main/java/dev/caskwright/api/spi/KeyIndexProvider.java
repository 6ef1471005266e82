package dev.caskwright.api.spi;

/** A key index that is found by name through {@link java.util.ServiceLoader}. */
public interface KeyIndexProvider extends KeyIndexFactory {
    /** Returns the name users choose it by, such as {@code hashmap} or {@code btree}: lower case, never changed. */
    String name();
}
