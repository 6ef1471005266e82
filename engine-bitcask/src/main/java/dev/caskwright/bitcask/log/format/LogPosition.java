package dev.caskwright.bitcask.log.format;

/** A place in the log: the id of a file in the upper 32 bits, and an offset in the lower. Positions grow. */
public final class LogPosition {
    private LogPosition() {}

    public static long of(long id, long offset) {
        return id << 32 | offset;
    }

    public static long offset(long position) {
        return position & 0xFFFFFFFFL;
    }
}
