package dev.caskwright.api.spi.codec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keys in a file of text, for programs that open stores by names of options: a line for each key, its id, {@code =} and its
 * bytes as hexadecimal digits. Empty lines and those that begin with {@code #} are left out. New data is encrypted by the
 * last key, unless another one is named: so a key is changed by a line at the end. It has 1 MiB at most. Read once; immutable.
 */
public final class KeyFile implements Encryption.Keys {
    /** Stands for no key to write with. */
    public static final String NONE = "none";

    private static final int MOST_BYTES = 1 << 20;
    private static final String BYTE_ORDER_MARK = "\uFEFF"; // some editors put it at the start

    private final Path file;
    private final Map<String, byte[]> keys = new LinkedHashMap<>();
    private @Nullable String last;

    private KeyFile(Path file) {
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @throws IllegalArgumentException if it cannot be read, or a line is none of a key; no key is in the message
     */
    public static KeyFile read(Path file) {
        KeyFile result = new KeyFile(file);
        int number = 0;
        try {
            for (String line : content(file).lines().toList()) {
                number++;
                if (!line.isBlank() && !line.startsWith("#")) {
                    result.add(line.strip());
                }
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("the file of keys cannot be read: " + e, e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("line " + number
                    + " is no id, = and an even number of hexadecimal digits," + " " + Encryption.MIN_KEY_LENGTH
                    + " to " + Encryption.MAX_KEY_LENGTH + " bytes; an id comes once");
        }
        if (result.last == null) {
            throw new IllegalArgumentException("there is no key in the file");
        }
        return result;
    }

    private static String content(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] content = in.readNBytes(MOST_BYTES + 1);
            if (content.length > MOST_BYTES) {
                throw new IOException("it is too long to be one: limit=" + MOST_BYTES + ", file=" + file);
            }
            String text = new String(content, StandardCharsets.UTF_8);
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
        }
    }

    private void add(String line) {
        int at = line.lastIndexOf('=');
        String id = at < 0 ? "" : line.substring(0, at).strip();
        byte[] key = HexFormat.of().parseHex(line.substring(at + 1).strip());
        boolean isPossible = Encryption.isId(id)
                && !id.equals(NONE)
                && key.length >= Encryption.MIN_KEY_LENGTH
                && key.length <= Encryption.MAX_KEY_LENGTH;
        if (!isPossible || keys.put(id, key) != null) {
            throw new IllegalArgumentException();
        }
        last = id;
    }

    /**
     * Returns encryption by one of the keys.
     *
     * @param keyId the key to write with; null for the last one, {@value #NONE} to write without encryption
     * @throws IllegalArgumentException if there is no such key
     */
    public Encryption encryption(@Nullable String keyId) {
        String id = keyId == null ? last : keyId;
        if (id == null || id.equals(NONE)) {
            return Encryption.reading(this);
        }
        if (!keys.containsKey(id)) {
            throw new IllegalArgumentException("there is no such key in " + file);
        }
        return Encryption.writing(id, this);
    }

    @Override
    public byte @Nullable [] key(String id) {
        byte[] key = keys.get(id);
        return key == null ? null : key.clone();
    }
}
