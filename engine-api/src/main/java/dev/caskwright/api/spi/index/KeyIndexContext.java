package dev.caskwright.api.spi.index;

/**
 * What an engine tells an index at its making.
 *
 * @param expectedKeys how many keys to make room for at once; a hint, and 0 if not known
 * @param expectedKeyLength the usual length of a key in bytes; a hint, and 0 if not known
 * @param seed a random number for the hash function, so that nobody can choose keys that collide
 * @param matcher compares a key with the record at a locator, for an index that does not hold keys
 */
public record KeyIndexContext(long expectedKeys, int expectedKeyLength, long seed, KeyMatcher matcher) {}
