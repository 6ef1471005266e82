/** What commands see of a store: databases of typed values, changed directly or all at once, and when changes are durable. */
@NullMarked
package dev.caskwright.server.store;

import org.jspecify.annotations.NullMarked;
