package dev.caskwright.owner;

import dev.caskwright.api.StorageEngine;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.attribute.UserPrincipal;

/**
 * One store's socket, as the thread that serves it sees it.
 *
 * @param store the store
 * @param channel the socket, which does not block
 * @param user the only user who may ask, besides the superuser
 * @param openedAtMillis since when
 */
record Door(StorageEngine store, ServerSocketChannel channel, UserPrincipal user, long openedAtMillis) {}
