package dev.caskwright.bitcask.log.coding;

import dev.caskwright.api.CodecException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.CodecNote;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The codecs of a store: finds the one that a write names, notes it in the manifest before its first use, and finds the one
 * that a record names. Codecs are looked for when they are first needed; a store without coded values asks for none.
 *
 * <p><b>Threads.</b> Any. Reads take no lock once their codec is known.
 */
public final class ValueCoding {
    private static final Map<Integer, String> OWN_NAMES = Map.of(1, "lz4", 2, "zstd", 3, "snappy");

    /** A codec as records name it: by its id and the number of its dictionary. */
    public record Named(int key, ValueCodec codec) {}

    /** Makes notes of codecs durable. */
    interface Notes {
        /** Returns what was noted so far. */
        Collection<CodecNote> all();

        /** Keeps a note that is new. */
        void add(CodecNote note) throws IOException;
    }

    private final Notes notes;
    private final @Nullable ValueCodec configured;
    private final Map<String, Named> writers = new ConcurrentHashMap<>();
    private volatile @Nullable Named own; // the configured one, once it is noted
    private volatile List<Named> readers = List.of(); // replaced as a whole

    public ValueCoding(Notes notes, @Nullable ValueCodec configured) {
        this.notes = notes;
        this.configured = configured;
    }

    /** Returns codecs that only read what notes tell of. */
    public static ValueCoding forReading(Collection<CodecNote> notes) {
        return new ValueCoding(
                new Notes() {
                    @Override
                    public Collection<CodecNote> all() {
                        return notes;
                    }

                    @Override
                    public void add(CodecNote note) {
                        throw new IllegalStateException("opened for reading");
                    }
                },
                null);
    }

    // ---------------------------------------------------------------- writing

    /** Returns whether writes are coded that do not say. */
    boolean isOn() {
        return configured != null;
    }

    /** Returns the codec of a write: of that name, or if it is null, the configured one. Null if there is to be none. */
    public @Nullable Named forWrite(@Nullable String name) throws IOException {
        if (name == null) {
            ValueCodec codec = configured;
            if (codec == null) {
                return null;
            }
            Named known = own;
            return known == null ? noteConfigured(codec) : known;
        }
        if (name.equals(ValueCodec.NONE)) {
            return null;
        }
        ValueCodec codec = configured;
        if (codec != null && codec.name().equals(name)) {
            return forWrite(null);
        }
        Named known = writers.get(name);
        return known == null ? noteNamed(name) : known;
    }

    private synchronized Named noteConfigured(ValueCodec codec) throws IOException {
        Named known = own;
        if (known == null) {
            known = note(codec);
            own = known;
        }
        return known;
    }

    private synchronized Named noteNamed(String name) throws IOException {
        Named known = writers.get(name);
        if (known == null) {
            known = note(Backends.codec(name));
            writers.put(name, known);
        }
        return known;
    }

    /** Returns a codec as records name it from now on, noted. One without a dictionary takes the latest that the store has of it. */
    private Named note(ValueCodec codec) throws IOException {
        CodecNote latest = null;
        byte[] dictionary = codec.dictionary();
        int number = 0;
        for (CodecNote note : notes.all()) {
            if (note.id() == codec.id()) {
                if (!note.name().equals(codec.name())) {
                    throw new IllegalArgumentException("the store knows another codec by this id: id=" + codec.id()
                            + ", known=" + note.name() + ", given=" + codec.name());
                }
                if (Arrays.equals(note.dictionary(), dictionary) && dictionary.length > 0) {
                    return new Named(note.key(), codec);
                }
                latest = latest == null || note.number() > latest.number() ? note : latest;
                number = Math.max(number, note.number());
            }
        }
        if (dictionary.length == 0 && latest != null) {
            return new Named(latest.key(), latest.number() == 0 ? codec : withLatest(codec, latest));
        }
        CodecNote note =
                new CodecNote(codec.id(), dictionary.length == 0 ? 0 : number + 1, codec.name(), dictionary.clone());
        check(note);
        notes.add(note);
        return new Named(note.key(), codec);
    }

    private static ValueCodec withLatest(ValueCodec codec, CodecNote latest) throws CodecException {
        try {
            return codec.withDictionary(latest.dictionary());
        } catch (RuntimeException e) {
            throw new CodecException(
                    latest.name(),
                    "a codec does not take the dictionary that the store keeps for it, nothing was written: codec="
                            + latest.name() + ", number=" + latest.number() + ", because of: " + e,
                    e);
        } catch (Error e) {
            throw cannotRun(latest.name(), e);
        }
    }

    private void check(CodecNote note) throws EngineException {
        if (note.id() < 1 || note.id() > ValueCodec.MAX_ID || !CodecNote.isName(note.name())) {
            throw new IllegalArgumentException("a codec has an id or a name that no codec can have: id=" + note.id()
                    + ", allowed=1.." + ValueCodec.MAX_ID + ", name=" + note.name());
        }
        if (note.dictionary().length > ValueCodec.MAX_DICTIONARY_LENGTH) {
            throw new IllegalArgumentException("a dictionary is too long: codec=" + note.name() + ", length="
                    + note.dictionary().length + ", allowed=" + ValueCodec.MAX_DICTIONARY_LENGTH);
        }
        if (notes.all().size() >= CodecNote.MOST) {
            throw new EngineException(
                    ErrorCode.CODEC,
                    Outcome.NOT_APPLIED,
                    "the store has had as many codecs and dictionaries as it can: limit=" + CodecNote.MOST
                            + "; dump it and load it into a new one",
                    null);
        }
    }

    // ---------------------------------------------------------------- reading

    /** Returns the value of a record, in an array of its own. The stored bytes were verified. */
    public byte[] decode(long coding, byte[] source, int offset, int length, DataFile file, long at)
            throws IOException {
        Named codec = forRead(coding, length, file, at);
        byte[] value = new byte[RecordFormat.decodedLength(coding)];
        decode(codec, source, offset, length, value, 0, value.length, file, at);
        return value;
    }

    /** As {@link #decode(long, byte[], int, int, DataFile, long)}, into an array that has room for it. */
    public void decode(
            long coding, byte[] source, int offset, int length, byte[] target, int targetOffset, DataFile file, long at)
            throws IOException {
        Named codec = forRead(coding, length, file, at);
        int targetLength = RecordFormat.decodedLength(coding);
        decode(codec, source, offset, length, target, targetOffset, targetLength, file, at);
    }

    private static void decode(
            Named named,
            byte[] source,
            int offset,
            int length,
            byte[] target,
            int targetOffset,
            int targetLength,
            DataFile file,
            long at)
            throws IOException {
        try {
            named.codec.decode(source, offset, length, target, targetOffset, targetLength);
        } catch (RuntimeException e) {
            throw file.corrupt("value does not decode", at, "codec=" + named.codec.name() + ", because of: " + e);
        } catch (Error e) {
            throw cannotRun(named.codec.name(), e);
        }
    }

    /** Returns the codec of a record; what it claims is checked before any memory is taken for it. */
    private Named forRead(long coding, int length, DataFile file, long at) throws IOException {
        int key = RecordFormat.codecKey(coding);
        Named codec = known(key);
        if (codec == null) {
            codec = find(key, file, at);
        }
        long most;
        try {
            most = codec.codec.maxDecodedLength(length);
        } catch (RuntimeException e) {
            throw file.corrupt("value does not decode", at, "codec=" + codec.codec.name() + ", because of: " + e);
        } catch (Error e) {
            throw cannotRun(codec.codec.name(), e);
        }
        if (RecordFormat.decodedLength(coding) > most) {
            throw file.corrupt(
                    "value cannot be so long decoded",
                    at,
                    "codec=" + codec.codec.name() + ", length=" + RecordFormat.decodedLength(coding) + ", encoded="
                            + length);
        }
        return codec;
    }

    private @Nullable Named known(int key) {
        List<Named> all = readers;
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).key == key) {
                return all.get(i);
            }
        }
        return null;
    }

    private synchronized Named find(int key, DataFile file, long at) throws IOException {
        Named known = known(key);
        if (known != null) {
            return known;
        }
        int id = key & 0xFF;
        int number = key >>> 8;
        CodecNote note = null;
        String name = OWN_NAMES.get(id);
        for (CodecNote each : notes.all()) {
            name = each.id() == id ? each.name() : name;
            note = each.key() == key ? each : note;
        }
        ValueCodec codec = plugin(id, name, number > 0);
        if (codec == null) {
            throw missing(id, name, file, at);
        }
        if (number > 0) {
            if (note == null) {
                throw file.corrupt(
                        "the dictionary of a value is not in the store", at, "codec=" + name + ", number=" + number);
            }
            codec = withDictionary(codec, note, file, at);
        }
        Named found = new Named(key, codec);
        Named[] more = readers.toArray(new Named[readers.size() + 1]);
        more[more.length - 1] = found;
        readers = List.of(more);
        return found;
    }

    private static ValueCodec withDictionary(ValueCodec codec, CodecNote note, DataFile file, long at)
            throws IOException {
        try {
            return codec.withDictionary(note.dictionary());
        } catch (RuntimeException e) {
            throw file.corrupt(
                    "the dictionary of a value is none for its codec",
                    at,
                    "codec=" + codec.name() + ", number=" + note.number() + ", because of: " + e);
        } catch (Error e) {
            throw cannotRun(codec.name(), e);
        }
    }

    /**
     * Returns the codec of an id. One of another name than the store knows is another one, which might decode to something that
     * nobody wrote; and one that was given with a dictionary of its own decodes values without one only if there is no other.
     */
    private @Nullable ValueCodec plugin(int id, @Nullable String name, boolean takesDictionary) {
        ValueCodec given = configured;
        if (given != null && !isThis(given, id, name)) {
            given = null;
        }
        if (given != null && (takesDictionary || given.dictionary().length == 0)) {
            return given;
        }
        for (ValueCodec each : Backends.all(ValueCodec.class, ValueCoding.class)) {
            if (isThis(each, id, name)) {
                return each;
            }
        }
        return given;
    }

    private static boolean isThis(ValueCodec codec, int id, @Nullable String name) {
        return codec.id() == id && (name == null || codec.name().equals(name));
    }

    private static CodecException missing(int id, @Nullable String name, DataFile file, long at) {
        String called = name == null ? "number " + id : name;
        String way = OWN_NAMES.containsKey(id)
                ? "put the module caskwright-codec-" + called + " on the class path"
                : "put the module that has it on the class path, or open the store with it";
        return new CodecException(
                called,
                "a value is stored by a codec that is not there: codec=" + called + ", id=" + id + ", file="
                        + file.name() + ", offset=" + at + "; " + way,
                null);
    }

    /**
     * Returns what an error of a codec means: libraries have errors of their own for native code that cannot be loaded, besides
     * those of the JVM. Throws what says something of the JVM, such as that memory is short.
     */
    static CodecException cannotRun(String name, Error e) {
        if (e instanceof VirtualMachineError) {
            throw e;
        }
        return new CodecException(
                name,
                "a codec cannot run here, for want of its library or of one for this system: codec=" + name
                        + ", because of: " + e,
                e);
    }
}
