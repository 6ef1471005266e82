package dev.caskwright.bitcask.log.coding;

import dev.caskwright.api.CodecException;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Encodes the values of drafts, in a buffer of its own: for one thread at a time.
 *
 * <p>A value is stored coded only if that makes it shorter by an eighth: what does not shrink would cost each reader time for
 * nothing.
 */
public final class ValueEncoder {
    private static final int LEAST_GAIN_SHIFT = 3;

    /** A shorter one cannot gain what its longer header takes. */
    private static final int SHORTEST_CODED = 2 * RecordFormat.CODING_LENGTH;

    private static final int KEPT_BUFFER = 80 << 10;
    private static final byte[] NOTHING = {};

    private final ValueCoding coding;
    private byte[] copied = NOTHING;
    private byte[] encoded = NOTHING;
    private ValueCoding.@Nullable Named codec;

    public ValueEncoder(ValueCoding coding) {
        this.coding = coding;
    }

    /**
     * Chooses the codec of the next value by its name, or if that is null, the store's own; returns whether {@link #encode} is
     * worth a try.
     */
    public boolean choose(@Nullable String name, int valueLength) throws IOException {
        codec = coding.forWrite(name);
        return codec != null && valueLength >= SHORTEST_CODED && valueLength <= RecordFormat.LONGEST_CODED;
    }

    /**
     * Encodes a copy of a value into {@link #encoded}: a caller who changes its array meanwhile gets an odd value, and not one
     * that does not decode.
     *
     * @return its length there; 0 if it is to be stored as it is
     * @throws CodecException if the codec fails
     */
    public int encode(byte[] value, int offset, int length) throws CodecException {
        ValueCoding.Named chosen = chosen();
        String name = chosen.codec().name();
        if (copied.length < length) {
            copied = new byte[length];
        }
        System.arraycopy(value, offset, copied, 0, length);
        int written;
        try {
            int most = chosen.codec().maxEncodedLength(length);
            if (encoded.length < most) {
                encoded = new byte[most];
            }
            written = chosen.codec().encode(copied, 0, length, encoded, 0);
        } catch (RuntimeException e) {
            throw new CodecException(name, "a codec failed, nothing was written: codec=" + name + ": " + e, e);
        } catch (Error e) {
            throw ValueCoding.cannotRun(name, e);
        }
        if (written <= 0 || written > encoded.length) {
            throw new CodecException(
                    name,
                    "a codec returned a length that cannot be, nothing was written: codec=" + name + ", length="
                            + written + ", allowed=1.." + encoded.length,
                    null);
        }
        return written + RecordFormat.CODING_LENGTH <= length - (length >>> LEAST_GAIN_SHIFT) ? written : 0;
    }

    private ValueCoding.Named chosen() {
        ValueCoding.Named chosen = codec;
        if (chosen == null) {
            throw new IllegalStateException("no codec was chosen");
        }
        return chosen;
    }

    /** Returns how a record says that its value, of a length, is stored by the chosen codec. */
    public long coding(int valueLength) {
        return RecordFormat.coding(chosen().key(), valueLength);
    }

    /** Returns the array that {@link #encode} wrote to. */
    public byte[] encoded() {
        return encoded;
    }

    /** Gives the array away, to whom it is to stay as it is. */
    public byte[] takeEncoded() {
        byte[] taken = encoded;
        encoded = NOTHING;
        return taken;
    }

    /** Gives back the memory that a long value took. */
    public void clear() {
        if (copied.length > KEPT_BUFFER) {
            copied = NOTHING;
        }
        if (encoded.length > KEPT_BUFFER) {
            encoded = NOTHING;
        }
    }

    public int memoryBytes() {
        return copied.length + encoded.length;
    }
}
