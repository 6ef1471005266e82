package dev.caskwright.testkit;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Copies a directory in use as a tool does that knows nothing of stores: it lists the files once, then copies one after
 * another, in pieces, while the store goes on. So each piece of the copy is of another moment. A store that is opened over
 * the copy shows what was written at some time, or says that it is damaged.
 *
 * <p>For one thread; but the source may be in use by others.
 */
public final class SlowCopy {
    private static final int LONGEST_PIECE = 2_000;

    private final IoManager source;
    private final Random random;
    private final CrashableIoManager copy = new CrashableIoManager();
    private final Deque<String> names = new ArrayDeque<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private @Nullable ReadableFile open;

    /** Lists the files; the seed decides in which order and in which pieces they are copied. */
    public SlowCopy(IoManager source, long seed) throws IOException {
        this.source = source;
        this.random = new Random(seed);
        List<String> listed = new ArrayList<>(source.list());
        Collections.sort(listed);
        if (random.nextBoolean()) {
            Collections.shuffle(listed, random);
        }
        names.addAll(listed);
    }

    /** Copies the next piece; returns whether there is more. A file that is gone when its turn comes is left out. */
    public boolean step() throws IOException {
        ReadableFile file = open;
        if (file == null) {
            String name = names.poll();
            if (name == null) {
                return false;
            }
            try {
                file = source.open(name);
            } catch (NoSuchFileException e) {
                return !names.isEmpty();
            }
            open = file;
        }
        byte[] piece = new byte[1 + random.nextInt(LONGEST_PIECE)];
        int length = file.read(bytes.size(), piece, 0, piece.length);
        bytes.write(piece, 0, length);
        if (length < piece.length) {
            copy.install(file.name(), bytes.toByteArray());
            bytes.reset();
            open = null;
            file.close();
        }
        return open != null || !names.isEmpty();
    }

    /** Copies what is left, and returns the copy. */
    public CrashableIoManager finish() throws IOException {
        while (step()) {
            // Each call copies a piece.
        }
        return copy;
    }
}
