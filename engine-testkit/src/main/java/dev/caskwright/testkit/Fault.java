package dev.caskwright.testkit;

/** How a call to an IO manager fails. */
public enum Fault {
    /** Nothing is done, and the call ends in "Input/output error". */
    IO_ERROR,
    /** Nothing is done, and the call ends in "No space left on device"; for a call that needs none, an IO error. */
    OUT_OF_SPACE,
    /** A write writes the first half of its bytes, then ends in an IO error; any other call just in that. */
    SHORT_WRITE,
    /** A write writes the first half of its bytes, then ends for want of space; any other call just in that. */
    SHORT_WRITE_OUT_OF_SPACE,
    /** The call is carried out, and ends in an IO error all the same. */
    ERROR_AFTER_EFFECT,
    /** The thread is interrupted just before the call, which is then made as usual. */
    INTERRUPT
}
