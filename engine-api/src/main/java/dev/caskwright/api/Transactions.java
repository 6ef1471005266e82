package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Transactions over several keys. */
public interface Transactions extends Facet {
    /** Starts an optimistic transaction. On a closed engine its reads and its commit fail, not the start. */
    Transaction transaction();

    /** What a transaction does. */
    @FunctionalInterface
    interface Body<R> {
        /** Reads and changes through the transaction; must not commit it. May be called several times. */
        @Nullable R run(Transaction transaction) throws IOException;
    }

    /**
     * Runs a transaction and commits it; if something that it read has changed, runs it again with a new one, until it
     * commits. Each time somebody else's write has succeeded. An exception of the body ends it without a trace.
     *
     * @return what the body returned in the run that was committed
     */
    default <R> @Nullable R transact(WriteOptions options, Body<R> body) throws IOException {
        while (true) {
            Transaction transaction = transaction();
            R result = body.run(transaction);
            if (transaction.commit(options)) {
                return result;
            }
        }
    }
}
