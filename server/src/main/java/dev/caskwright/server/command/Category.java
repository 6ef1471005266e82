package dev.caskwright.server.command;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The categories by which users are given commands. Those of types that are not there are known and empty. */
enum Category {
    KEYSPACE,
    READ,
    WRITE,
    SET,
    SORTEDSET,
    LIST,
    HASH,
    STRING,
    BITMAP,
    HYPERLOGLOG,
    GEO,
    STREAM,
    PUBSUB,
    ADMIN,
    FAST,
    SLOW,
    BLOCKING,
    DANGEROUS,
    CONNECTION,
    TRANSACTION,
    SCRIPTING;

    /** Returns the name in lower case. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Returns the category of that name, or null. */
    static @Nullable Category find(String label) {
        for (Category category : values()) {
            if (category.label().equals(label)) {
                return category;
            }
        }
        return null;
    }
}
