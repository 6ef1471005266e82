package dev.caskwright.mvcc;

import dev.caskwright.mvcc.MvccException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/** Checks what is asked for before anything is done. */
final class Requests {
    private final MvccBuilder.Options options;

    Requests(MvccBuilder.Options options) {
        this.options = options;
    }

    void check(Put put) throws MvccException {
        checkKey(put.key());
        checkBytes((long) put.key().length + put.value().length);
    }

    void check(KeyRange range) throws MvccException {
        if (range.isSingle()) {
            checkKey(range.from());
        }
    }

    private static void checkKey(byte[] key) throws MvccException {
        if (key.length == 0) {
            throw new MvccException(Reason.EMPTY_KEY, "a key has at least one byte");
        }
    }

    private void checkBytes(long length) throws MvccException {
        if (length > options.maxRequestBytes()) {
            throw new MvccException(
                    Reason.REQUEST_TOO_LARGE,
                    "bytes=" + length + ", allowed=" + options.maxRequestBytes() + "; allow more with limits(...)");
        }
    }

    /** Returns how many bytes of keys and values it may put. */
    long check(Txn txn) throws MvccException {
        int most = Math.max(
                txn.comparisons().size(),
                Math.max(txn.then().size(), txn.otherwise().size()));
        if (most > options.maxOperations()) {
            throw new MvccException(
                    Reason.TOO_MANY_OPERATIONS,
                    "operations=" + most + ", allowed=" + options.maxOperations() + "; allow more with limits(...)");
        }
        for (Comparison comparison : txn.comparisons()) {
            check(comparison.range());
        }
        long bytes = check(txn.then()) + check(txn.otherwise());
        checkBytes(bytes);
        return bytes;
    }

    private long check(List<Operation> operations) throws MvccException {
        TreeSet<byte[]> puts = new TreeSet<>(Arrays::compareUnsigned);
        List<KeyRange> deletes = new ArrayList<>();
        long bytes = 0;
        for (Operation operation : operations) {
            if (operation instanceof Put put) {
                check(put);
                bytes += put.key().length + put.value().length;
                if (!puts.add(put.key())) {
                    throw duplicate(put.key());
                }
            } else if (operation instanceof DeleteRange delete) {
                check(delete.range());
                deletes.add(delete.range());
            } else if (operation instanceof RangeRequest range) {
                check(range.range());
            }
        }
        for (KeyRange range : deletes) {
            byte[] put = puts.ceiling(range.from());
            if (put != null && range.contains(put)) {
                throw duplicate(put);
            }
        }
        return bytes;
    }

    private static MvccException duplicate(byte[] key) {
        return new MvccException(
                Reason.DUPLICATE_KEY, "key=" + Schema.show(key) + "; a transaction changes each key once");
    }
}
