package dev.caskwright.client;

/** Whether a command may be sent again if nobody knows whether it was run. What certainly was not run is sent again in any case. */
enum Repeat {
    /** It changes nothing. */
    READ,
    /** It changes something, and twice is as good as once. */
    HARMLESS,
    /** It changes something, and twice would be wrong. */
    NEVER
}
