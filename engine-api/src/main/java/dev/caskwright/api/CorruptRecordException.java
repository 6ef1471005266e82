package dev.caskwright.api;

/** Stored bytes are not what was written. Nothing was dropped or deleted because of it. */
public final class CorruptRecordException extends EngineException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;

    /**
     * @param rule what does not hold, in lower case, as in "bad checksum"
     * @param details further pairs for the message, as in "expected=1a2b3c4d, found=00000000", or empty
     */
    public CorruptRecordException(String rule, String file, long offset, String details) {
        super(
                ErrorCode.CORRUPT,
                Outcome.NOT_APPLIED,
                rule + ": file=" + file + ", offset=" + offset + (details.isEmpty() ? "" : ", " + details),
                null);
        this.file = file;
        this.offset = offset;
    }

    /** Returns the name of the damaged file within the store's directory. */
    public String file() {
        return file;
    }

    /** Returns where in the file the damaged record or block starts, in bytes. */
    public long offset() {
        return offset;
    }
}
