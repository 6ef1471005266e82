/** What makes several servers one: the seam between a server and those who agree with others on the order of changes. */
@NullMarked
package dev.caskwright.server.replication;

import org.jspecify.annotations.NullMarked;
