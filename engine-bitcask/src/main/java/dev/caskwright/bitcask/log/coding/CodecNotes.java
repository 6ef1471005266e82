package dev.caskwright.bitcask.log.coding;

import dev.caskwright.api.CodecException;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.NewFiles;
import dev.caskwright.bitcask.log.format.CodecNote;
import dev.caskwright.bitcask.log.keys.KeyRing;
import java.io.IOException;
import java.util.Collection;

/** Keeps the notes of codecs in the manifest. */
public final class CodecNotes implements ValueCoding.Notes {
    private final Manifest manifest;
    private final RecordLogOptions options;
    private final KeyRing keys;

    public CodecNotes(Manifest manifest, RecordLogOptions options, KeyRing keys) {
        this.manifest = manifest;
        this.options = options;
        this.keys = keys;
    }

    @Override
    public Collection<CodecNote> all() {
        return manifest.codecs();
    }

    @Override
    public void add(CodecNote note) throws IOException {
        if (options.readOnly()) {
            throw new EngineException(ErrorCode.READ_ONLY, Outcome.NOT_APPLIED, "the store was opened read-only", null);
        }
        if (keys.encrypts() && note.dictionary().length > 0) {
            throw new CodecException(
                    note.name(),
                    "an encrypted store takes no dictionary: it is made of values, and would be kept as it is: codec="
                            + note.name(),
                    null);
        }
        try {
            manifest.addCodec(note);
        } catch (OutOfSpaceException | EngineClosedException e) {
            throw e;
        } catch (IOException e) {
            if (e instanceof EngineException own && NewFiles.hasChangedNothing(own)) {
                throw e;
            }
            options.onFailure().accept(e); // nothing more can be listed in the manifest now
            throw new EngineFailedException(
                    Outcome.NOT_APPLIED, "a codec could not be noted in the manifest, reopen the store: " + e, e);
        }
    }
}
