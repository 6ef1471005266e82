package dev.caskwright.api;

/** Transactions over several keys. */
public interface Transactions extends Facet {
    /** Starts an optimistic transaction. On a closed engine its reads and its commit fail, not the start. */
    Transaction transaction();
}
