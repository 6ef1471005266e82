package dev.caskwright.api.spi;

/** An IO manager that is found by name through {@link java.util.ServiceLoader}. */
public interface IoManagerProvider extends IoManagerFactory {
    /** Returns the name users choose it by, such as {@code standard} or {@code mmap}: lower case, never changed. */
    String name();
}
