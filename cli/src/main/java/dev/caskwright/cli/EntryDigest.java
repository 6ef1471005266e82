package dev.caskwright.cli;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;

/**
 * A count and a digest of entries that do not depend on their order: the sum of the digests of all. Entries that expire are summed by
 * themselves, since some of them may be gone when a copy is read. For one thread.
 */
final class EntryDigest {
    private final Digest digest = new Digest();
    private final Sum lasting = new Sum();
    private final Sum expiring = new Sum();

    /** Returns the digest of all entries of a store. */
    static EntryDigest of(ReadView store) throws IOException {
        EntryDigest found = new EntryDigest();
        try (Cursor entries = store.cursor()) {
            for (Entry entry = entries.next(); entry != null; entry = entries.next()) {
                found.add(entry.key(), entry.value(), entry.expiresAtMillis());
            }
        }
        return found;
    }

    void add(byte[] key, byte[] value, long expiresAtMillis) {
        (expiresAtMillis == Entry.NEVER ? lasting : expiring).add(digest.of(key, value));
    }

    /** Whether a copy has all of these entries, but for those of which enough have expired meanwhile. */
    boolean isKeptBy(EntryDigest copy) {
        return lasting.isSameAs(copy.lasting)
                && (expiring.isSameAs(copy.expiring) || copy.expiring.entries < expiring.entries);
    }

    /** Adds counts and digests to figures, under names that begin with {@code prefix}. */
    void addTo(Map<String, Object> figures, String prefix) {
        figures.put(prefix + "Entries", lasting.entries);
        figures.put(prefix + "Digest", lasting.toString());
        figures.put(prefix + "ExpiringEntries", expiring.entries);
        figures.put(prefix + "ExpiringDigest", expiring.toString());
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%,d entries, digest %s", lasting.entries, lasting)
                + (expiring.entries == 0
                        ? ""
                        : String.format(Locale.ROOT, "; %,d that expire, digest %s", expiring.entries, expiring));
    }

    private static final class Sum {
        private final byte[] sum = new byte[32];
        private long entries;

        void add(byte[] one) {
            int carry = 0;
            for (int i = sum.length - 1; i >= 0; i--) {
                carry += (sum[i] & 0xFF) + (one[i] & 0xFF);
                sum[i] = (byte) carry;
                carry >>>= Byte.SIZE;
            }
            entries++;
        }

        boolean isSameAs(Sum other) {
            return entries == other.entries && Arrays.equals(sum, other.sum);
        }

        @Override
        public String toString() {
            return HexFormat.of().formatHex(sum);
        }
    }
}
