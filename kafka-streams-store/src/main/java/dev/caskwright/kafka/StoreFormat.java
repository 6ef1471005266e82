package dev.caskwright.kafka;

/** What the values of a store hold. A store is opened in the format that it was made with. */
public enum StoreFormat {
    /** The serialized value alone. */
    PLAIN,
    /** The timestamp of the record before the value. */
    TIMESTAMPED,
    /** The headers of the record and, but for sessions, its timestamp before the value. */
    HEADERS
}
