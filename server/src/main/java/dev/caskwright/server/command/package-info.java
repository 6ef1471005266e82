/** Commands: their table, what they do, and the state of the clients that send them. */
@NullMarked
package dev.caskwright.server.command;

import org.jspecify.annotations.NullMarked;
