package dev.caskwright.bitcask.log;

/** A place in the log: the id of a file in the upper 32 bits, and an offset in the lower. Positions grow. */
final class LogPosition {
    private LogPosition() {}

    static long of(long id, long offset) {
        return id << 32 | offset;
    }

    static long offset(long position) {
        return position & 0xFFFFFFFFL;
    }
}
