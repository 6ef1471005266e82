package dev.caskwright.bitcask.log.keys;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.EncryptionException;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.bitcask.log.format.KeyNote;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a store while it is open. Each is asked for once, when the first file that names it is opened, so that a key that
 * is missing or wrong is found before anything is changed. Safe for any thread.
 */
public final class KeyRing {
    private final @Nullable Encryption encryption;

    @GuardedBy("this") private final Map<String, byte[]> keys = new HashMap<>();

    @GuardedBy("this") private final Map<KeyNote, FileKey> known = new HashMap<>();

    @GuardedBy("this") private @Nullable FileKey own;

    public KeyRing(@Nullable Encryption encryption) {
        this.encryption = encryption;
    }

    /** Returns whether what is written is encrypted. */
    public boolean encrypts() {
        return encryption != null && encryption.keyId() != null;
    }

    /** Returns the id of the key that is written with; empty if nothing is encrypted. */
    public String ownId() {
        String id = encryption == null ? null : encryption.keyId();
        return id == null ? "" : id;
    }

    /**
     * Sees to it that there is a key to write with, if one was named.
     *
     * @throws EncryptionException if it is not there
     */
    public synchronized void requireOwn() throws IOException {
        if (encrypts()) {
            key(ownId(), "to write with");
        }
    }

    /** Returns what this opening encrypts by, or null if it does not encrypt. Made by the first call. */
    public synchronized @Nullable FileKey own() throws IOException {
        if (own == null && encrypts()) {
            FileKey fresh = FileKey.fresh(ownId(), key(ownId(), "to write with"));
            known.put(fresh.note(), fresh);
            own = fresh;
        }
        return own;
    }

    /**
     * Returns what decrypts the file with a note; null for the note of a file that is not encrypted.
     *
     * @throws EncryptionException if its key is not there, or is another one
     */
    public synchronized @Nullable FileKey open(@Nullable KeyNote note, String file) throws IOException {
        if (note == null) {
            return null;
        }
        FileKey found = known.get(note);
        if (found == null) {
            String id = note.keyId();
            found = FileKey.of(note, key(id, "file=" + file));
            if (found == null) {
                throw new EncryptionException(
                        id, "a key is not the one that a file is encrypted by: key=" + id + ", file=" + file);
            }
            known.put(note, found);
        }
        return found;
    }

    /** Returns what decrypts the files that were opened so far. */
    public synchronized List<FileKey> opened() {
        return List.copyOf(known.values());
    }

    /**
     * Returns how many bytes of a store which keys encrypt; null if none do, and none is to.
     *
     * @param bytes by the ids of keys
     * @param plain those that are not encrypted
     */
    public @Nullable EncryptionStats stats(SortedMap<String, Long> bytes, long plain) {
        if (bytes.isEmpty() && !encrypts()) {
            return null;
        }
        Long own = bytes.remove(ownId());
        StringBuilder others = new StringBuilder();
        bytes.forEach((id, count) -> others.append(others.isEmpty() ? "" : " ")
                .append(id)
                .append('=')
                .append(count));
        long other = bytes.values().stream().mapToLong(Long::longValue).sum();
        return new EncryptionStats(ownId(), own == null ? 0 : own, other, others.toString(), plain);
    }

    @GuardedBy("this") private byte[] key(String id, String use) throws IOException {
        byte[] key = keys.get(id);
        if (key != null) {
            return key;
        }
        if (encryption == null) {
            throw new EncryptionException(
                    id,
                    "the store is encrypted and was opened without keys: key=" + id + ", " + use
                            + "; give it keys (EngineBuilder.encryption, on the command line --set keys=FILE)");
        }
        byte[] given = encryption.keys().key(id);
        if (given == null) {
            throw new EncryptionException(id, "a key is not there: key=" + id + ", " + use);
        }
        if (given.length < Encryption.MIN_KEY_LENGTH || given.length > Encryption.MAX_KEY_LENGTH) {
            throw new EncryptionException(
                    id,
                    "a key has a length that no key can have: key=" + id + ", bytes=" + given.length + ", allowed="
                            + Encryption.MIN_KEY_LENGTH + ".." + Encryption.MAX_KEY_LENGTH);
        }
        byte[] copy = given.clone();
        keys.put(id, copy);
        return copy;
    }
}
