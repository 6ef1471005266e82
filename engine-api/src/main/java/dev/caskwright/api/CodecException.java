package dev.caskwright.api;

import org.jspecify.annotations.Nullable;

/**
 * A value is stored by a codec that is not there or does not work here; or a codec failed when a value was to be written,
 * and nothing was. The store is as it was: with the codec, the same call succeeds.
 */
public final class CodecException extends EngineException {
    private static final long serialVersionUID = 1L;

    private final String codec;

    /**
     * @param codec the name of the codec, or its number if its name is not known
     * @param message what is wrong, and how to get the codec
     */
    public CodecException(String codec, String message, @Nullable Throwable cause) {
        super(ErrorCode.CODEC, Outcome.NOT_APPLIED, message, cause);
        this.codec = codec;
    }

    /** Returns the name of the codec, or its number if its name is not known. */
    public String codec() {
        return codec;
    }
}
