package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitToken;

/**
 * What a write answers.
 *
 * @param revision the revision of the store after it
 * @param token tells when it is durable
 * @param <R> the type of the result
 */
public record Written<R>(long revision, R result, CommitToken token) {}
