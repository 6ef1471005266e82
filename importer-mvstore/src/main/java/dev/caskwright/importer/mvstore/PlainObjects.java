package dev.caskwright.importer.mvstore;

import java.nio.ByteBuffer;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.type.ObjectDataType;

/**
 * The types that MVStore knows by itself, without those that would have Java load a class that a file names: serialised objects are
 * passed over, and arrays of objects are an error.
 */
final class PlainObjects extends ObjectDataType {
    /** Stands for a serialised object. */
    private static final Object SERIALISED = new Object();

    // As in ObjectDataType.
    private static final int TYPE_ARRAY = 14;
    private static final int TYPE_SERIALIZED_OBJECT = 19;
    private static final int LAST_PRIMITIVE = 7;

    @Override
    public Object read(ByteBuffer buffer) {
        int at = buffer.position();
        int tag = buffer.get(at);
        if (tag == TYPE_SERIALIZED_OBJECT) {
            buffer.get();
            int length = DataUtils.readVarInt(buffer);
            buffer.position(Math.addExact(buffer.position(), length));
            return SERIALISED;
        }
        if (tag == TYPE_ARRAY && (buffer.get(at + 1) < 0 || buffer.get(at + 1) > LAST_PRIMITIVE)) {
            throw DataUtils.newMVStoreException(
                    DataUtils.ERROR_SERIALIZATION, "arrays of objects are not read: offset={0}", at);
        }
        return super.read(buffer);
    }
}
