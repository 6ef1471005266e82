package dev.caskwright.api.spi.io;

import dev.caskwright.api.spi.Plugin;

/** An IO manager that is found by name through {@link java.util.ServiceLoader}. */
public interface IoManagerProvider extends IoManagerFactory, Plugin {}
