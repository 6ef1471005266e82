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
    INTERRUPT,
    /** Nothing is done, and the call throws an {@link OutOfMemoryError}. */
    OUT_OF_MEMORY,
    /** The call is carried out, and throws an {@link OutOfMemoryError} all the same. */
    OUT_OF_MEMORY_AFTER_EFFECT,
    /** Nothing is done, and the call throws an exception that it does not declare, as a plug-in with a bug does. */
    UNCHECKED;

    /** Returns whether the call ends in an error. */
    public boolean isError() {
        return this != INTERRUPT;
    }

    /** Returns whether the call is carried out although it ends in an error. */
    public boolean isAfterEffect() {
        return this == ERROR_AFTER_EFFECT || this == OUT_OF_MEMORY_AFTER_EFFECT;
    }

    /** Returns whether the call throws what it does not declare, which no other fault does. */
    public boolean isUndeclared() {
        return compareTo(OUT_OF_MEMORY) >= 0;
    }
}
