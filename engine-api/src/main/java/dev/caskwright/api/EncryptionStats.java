package dev.caskwright.api;

/**
 * How much of a store is encrypted, and by which keys: lengths of the files with data, in bytes. What derives from data
 * (hint files, images of the index) goes with it. Once {@code otherBytes} and {@code plainBytes} are 0, the store reads
 * nothing that needs another key, or none.
 *
 * @param keyId the id of the key that is written with; empty if writes are not encrypted
 * @param keyBytes bytes under that key
 * @param otherBytes bytes under other keys
 * @param otherKeys those keys: for each its id, {@code =} and its bytes, with blanks between
 * @param plainBytes bytes that are not encrypted
 */
public record EncryptionStats(String keyId, long keyBytes, long otherBytes, String otherKeys, long plainBytes) {}
