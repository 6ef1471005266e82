/** The configuration of a server, with the names that Redis gives its options. */
@NullMarked
package dev.caskwright.server.config;

import org.jspecify.annotations.NullMarked;
