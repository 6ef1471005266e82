package dev.caskwright.importer;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the latest value of each key lies in the files of a log, which are given in their order. Takes memory for every key, as
 * the stores do whose files it is for, and for no value. For one thread.
 */
final class Keydir {
    private static final int MOST_BYTES = Integer.MAX_VALUE - 8;

    /** Where a value lies: the number of its file in the order of the log, its offset and its length in bytes. */
    record Place(int file, long offset, long length, long expiresAtMillis) {}

    private final List<Path> files;
    private final Map<ByteBuffer, Place> places = new HashMap<>();

    Keydir(List<Path> files) {
        this.files = files;
    }

    void put(byte[] key, Place place) {
        places.put(ByteBuffer.wrap(key), place);
    }

    @Nullable Place get(byte[] key) {
        return places.get(ByteBuffer.wrap(key));
    }

    void remove(byte[] key) {
        places.remove(ByteBuffer.wrap(key));
    }

    /** Tells all entries, in the order in which they lie in the files. */
    void tell(Receiver receiver) throws IOException {
        List<Map.Entry<ByteBuffer, Place>> entries = new ArrayList<>(places.entrySet());
        entries.sort(
                Map.Entry.comparingByValue(Comparator.comparingInt(Place::file).thenComparingLong(Place::offset)));
        try (Open open = new Open()) {
            for (Map.Entry<ByteBuffer, Place> entry : entries) {
                Place place = entry.getValue();
                receiver.entry(entry.getKey().array(), open.value(place), place.expiresAtMillis());
            }
        }
    }

    /** The file that is being read. */
    private final class Open implements Closeable {
        private @Nullable FileChannel channel;
        private int file = -1;

        byte[] value(Place place) throws IOException {
            if (channel == null || file != place.file()) {
                close();
                channel = FileChannel.open(files.get(place.file()), StandardOpenOption.READ);
                file = place.file();
            }
            if (place.length() > MOST_BYTES) {
                throw new IOException("a value is longer than an array: length=" + place.length() + ", file="
                        + files.get(file) + ", offset=" + place.offset());
            }
            return FileReads.read(channel, files.get(file), place.offset(), (int) place.length());
        }

        @Override
        public void close() throws IOException {
            if (channel != null) {
                channel.close();
                channel = null;
            }
        }
    }
}
