/**
 * What proves an engine and its plug-ins: contracts to subclass, a disk that crashes, faults on demand, and a model that
 * knows which contents a store may have after each.
 */
@NullMarked
package dev.caskwright.testkit;

import org.jspecify.annotations.NullMarked;
