/**
 * Engines, and how plug-ins of every kind are found by name. Whoever writes an engine implements
 * {@link dev.caskwright.api.spi.engine.EngineProvider}.
 */
@NullMarked
package dev.caskwright.api.spi.engine;

import org.jspecify.annotations.NullMarked;
