package dev.caskwright.api;

/**
 * What is stored is encrypted by a key that is not there or is another one; or a key to write with is. Nothing was changed:
 * with the key, the same call succeeds.
 */
public final class EncryptionException extends EngineException {
    private static final long serialVersionUID = 1L;

    private final String keyId;

    /**
     * @param keyId the id of the key that is needed
     * @param message what is wrong, and where the key is named
     */
    public EncryptionException(String keyId, String message) {
        super(ErrorCode.ENCRYPTION, Outcome.NOT_APPLIED, message, null);
        this.keyId = keyId;
    }

    /** Returns the id of the key that is needed. */
    public String keyId() {
        return keyId;
    }
}
