/** The protocol: requests are parsed in place, replies written in the version that the client asked for. */
@NullMarked
package dev.caskwright.server.resp;

import org.jspecify.annotations.NullMarked;
