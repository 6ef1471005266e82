package dev.caskwright.api;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** Codecs for everyday keys and values. */
public final class Codecs {
    /**
     * Strings as UTF-8, in the order of their code points (which differs from that of {@link String#compareTo} only beyond
     * U+D7FF). A string with half of a surrogate pair, which UTF-8 cannot hold, is an {@link IllegalArgumentException}.
     */
    public static final Codec<String> STRING = new Text();

    /** Longs in eight bytes, in their order, negative ones first. */
    public static final Codec<Long> LONG = new SignedLong(Long.MIN_VALUE, true);

    /** Longs in eight bytes as two's complement, most significant first: values of {@link ConditionalWrites#increment}. */
    public static final Codec<Long> COUNTER = new SignedLong(0, false);

    /** Arrays as they are, copied both ways. */
    public static final Codec<byte[]> BYTES = of(byte[]::clone, byte[]::clone);

    private Codecs() {}

    /** Returns a codec of two functions, without an order. */
    public static <T> Codec<T> of(Function<T, byte[]> encode, Function<byte[], T> decode) {
        return new Codec<>() {
            @Override
            public byte[] encode(T object) {
                return encode.apply(object);
            }

            @Override
            public T decode(byte[] bytes) {
                return decode.apply(bytes);
            }
        };
    }

    private static final class Text implements Codec<String> {
        @Override
        public byte[] encode(String object) {
            try {
                return Slices.copy(StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(object)));
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException("string has half of a surrogate pair, which UTF-8 cannot hold", e);
            }
        }

        @Override
        public String decode(byte[] bytes) {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new IllegalStateException("bytes are no UTF-8: " + Printed.bytes(bytes), e);
            }
        }

        @Override
        public boolean keepsOrder() {
            return true;
        }
    }

    private record SignedLong(long flipped, boolean keepsOrder) implements Codec<Long> {
        @Override
        public byte[] encode(Long object) {
            return ByteBuffer.allocate(Long.BYTES).putLong(object ^ flipped).array();
        }

        @Override
        public Long decode(byte[] bytes) {
            if (bytes.length != Long.BYTES) {
                throw new IllegalStateException(
                        "bytes are no long: length=" + bytes.length + ", expected=" + Long.BYTES);
            }
            return ByteBuffer.wrap(bytes).getLong() ^ flipped;
        }
    }
}
