package dev.caskwright.moss;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.FacetHolder;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.WriteOptions;

/** Refuses expiry, which this engine does not have. */
final class Expiries {
    private static final FacetHolder MOSS = new FacetHolder() {
        @Override
        public String describe() {
            return "engine=MossEngine";
        }
    };

    private Expiries() {}

    static void refuse(WriteOptions options) {
        if (options.isRelativeExpiry() || options.expiresAtMillis(1) != Entry.NEVER) {
            throw MissingFacetException.of(Expiry.class, MOSS);
        }
    }
}
