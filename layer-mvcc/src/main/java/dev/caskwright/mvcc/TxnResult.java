package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitToken;
import java.util.List;

/**
 * What a {@link Txn} answers.
 *
 * @param revision the revision of the store after it
 * @param isSuccess whether all comparisons held
 * @param results of the operations that were done, in their order
 * @param token tells when everything written is durable
 */
public record TxnResult(long revision, boolean isSuccess, List<OperationResult> results, CommitToken token) {}
