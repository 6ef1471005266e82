package dev.caskwright.codec.zstd;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdDictCompress;
import com.github.luben.zstd.ZstdDictDecompress;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What encodes and decodes, in native memory: one taken and given back by each call, since it is dear to make. They are
 * shared by the codecs of the process, because a codec is not closed: so there is a bound to what is kept.
 *
 * <p>One that is taken belongs to its thread. A codec's settings stay in it until another codec wants others.
 */
final class Contexts {
    private static final int SLOTS = 64;
    private static final AtomicReferenceArray<@Nullable Contexts> IDLE = new AtomicReferenceArray<>(SLOTS);

    private final int slot;
    private @Nullable ZstdCompressCtx encoder;
    private int level;
    private @Nullable ZstdDictCompress encoderDictionary;
    private @Nullable ZstdDecompressCtx decoder;
    private @Nullable ZstdDictDecompress decoderDictionary;

    private Contexts(int slot) {
        this.slot = slot;
    }

    @SuppressWarnings("deprecation") // since 19, where threadId() takes its place
    static Contexts take() {
        int slot = (int) Thread.currentThread().getId() & SLOTS - 1;
        Contexts idle = IDLE.getAndSet(slot, null);
        return idle == null ? new Contexts(slot) : idle;
    }

    /** Gives them back for the next call. After an error, or if another thread of the same slot came first, they are closed. */
    void giveBackOrClose(boolean areSound) {
        if (!areSound || !IDLE.compareAndSet(slot, null, this)) {
            close();
        }
    }

    private void close() {
        if (encoder != null) {
            encoder.close();
            encoder = null;
        }
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
    }

    /** Returns what encodes frames that say nothing that the record says: no magic number, lengths, checksum or dictionary. */
    ZstdCompressCtx encoder(int wantedLevel, @Nullable ZstdDictCompress dictionary) {
        ZstdCompressCtx current = encoder;
        if (current != null && level == wantedLevel && encoderDictionary == dictionary) {
            return current;
        }
        if (current == null) {
            current = new ZstdCompressCtx();
            encoder = current;
        } else {
            current.reset();
        }
        current.setMagicless(true);
        current.setContentSize(false);
        current.setChecksum(false);
        current.setDictID(false);
        current.setLevel(wantedLevel);
        if (dictionary != null) {
            current.loadDict(dictionary);
        }
        level = wantedLevel;
        encoderDictionary = dictionary;
        return current;
    }

    ZstdDecompressCtx decoder(@Nullable ZstdDictDecompress dictionary) {
        ZstdDecompressCtx current = decoder;
        if (current != null && decoderDictionary == dictionary) {
            return current;
        }
        if (current == null) {
            current = new ZstdDecompressCtx();
            decoder = current;
        } else {
            current.reset();
        }
        current.setMagicless(true);
        if (dictionary != null) {
            current.loadDict(dictionary);
        }
        decoderDictionary = dictionary;
        return current;
    }
}
