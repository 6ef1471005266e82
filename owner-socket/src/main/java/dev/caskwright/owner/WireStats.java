package dev.caskwright.owner;

import dev.caskwright.api.EngineStats;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Figures of a store on the wire. Groups of figures are records, and an engine may have some that the other side does not know:
 * each goes with its name and the names of its parts, and is left out where there is no such record, or it has other parts.
 */
final class WireStats {
    private static final String OURS = "dev.caskwright.";

    private static final byte INTEGER = 'i';
    private static final byte DECIMAL = 'd';
    private static final byte TRUTH = 'b';
    private static final byte TEXT = 't';
    private static final byte GROUP = 'g';
    private static final byte NOTHING = 'n';

    private static final int MAX_DEPTH = 4;
    private static final int MAX_PARTS = 1_000;

    private WireStats() {}

    static void write(DataOutputStream out, EngineStats stats) throws IOException {
        out.writeLong(stats.keys());
        out.writeLong(stats.lastVersion());
        out.writeInt(stats.snapshots());
        out.writeInt(stats.groups().size());
        for (Record group : stats.groups()) {
            writeGroup(out, group, 0);
        }
    }

    private static void writeGroup(DataOutputStream out, Record group, int depth) throws IOException {
        Wire.writeText(out, group.getClass().getName());
        RecordComponent[] parts = group.getClass().getRecordComponents();
        out.writeInt(parts.length);
        for (RecordComponent part : parts) {
            Wire.writeText(out, part.getName());
            writeValue(out, value(part, group), depth);
        }
    }

    /** Returns a part of a record, or null if the record does not show it to us. */
    private static @Nullable Object value(RecordComponent part, Record group) {
        try {
            return part.getAccessor().invoke(group);
        } catch (IllegalAccessException | InvocationTargetException e) {
            return null;
        }
    }

    private static void writeValue(DataOutputStream out, @Nullable Object value, int depth) throws IOException {
        if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            out.writeByte(INTEGER);
            out.writeLong(((Number) value).longValue());
        } else if (value instanceof Number decimal) {
            out.writeByte(DECIMAL);
            out.writeDouble(decimal.doubleValue());
        } else if (value instanceof Boolean truth) {
            out.writeByte(TRUTH);
            out.writeBoolean(truth);
        } else if (value instanceof Record group && depth < MAX_DEPTH) {
            out.writeByte(GROUP);
            writeGroup(out, group, depth + 1);
        } else if (value == null) {
            out.writeByte(NOTHING);
        } else {
            out.writeByte(TEXT);
            Wire.writeText(out, value.toString());
        }
    }

    static EngineStats read(DataInputStream in) throws IOException {
        EngineStats stats = EngineStats.of(in.readLong(), in.readLong(), in.readInt());
        int groups = count(in);
        for (int i = 0; i < groups; i++) {
            Record group = readGroup(in, 0);
            if (group != null) {
                stats = stats.with(group);
            }
        }
        return stats;
    }

    private static int count(DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > MAX_PARTS) {
            throw new IOException("the owner sent a count that nothing has: count=" + count);
        }
        return count;
    }

    private static @Nullable Record readGroup(DataInputStream in, int depth) throws IOException {
        String name = Wire.readText(in);
        int count = count(in);
        List<String> names = new ArrayList<>();
        List<@Nullable Object> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            names.add(Wire.readText(in));
            values.add(readValue(in, depth));
        }
        return name.startsWith(OURS) ? make(name, names, values) : null;
    }

    private static @Nullable Object readValue(DataInputStream in, int depth) throws IOException {
        byte kind = in.readByte();
        return switch (kind) {
            case INTEGER -> in.readLong();
            case DECIMAL -> in.readDouble();
            case TRUTH -> in.readBoolean();
            case TEXT -> Wire.readText(in);
            case NOTHING -> null;
            case GROUP -> {
                if (depth >= MAX_DEPTH) {
                    throw new IOException("the owner sent figures within figures without end");
                }
                yield readGroup(in, depth + 1);
            }
            default -> throw new IOException("the owner sent a kind of figure that is not known: kind=" + kind);
        };
    }

    /** Makes a record of ours, and nothing else; null if there is none of that name and those parts. */
    private static @Nullable Record make(String name, List<String> names, List<@Nullable Object> values) {
        try {
            Class<?> type = Class.forName(name, false, WireStats.class.getClassLoader());
            RecordComponent[] parts = type.getRecordComponents();
            if (parts == null || parts.length != names.size()) {
                return null;
            }
            Class<?>[] types = new Class<?>[parts.length];
            @Nullable Object[] arguments = new Object[parts.length];
            for (int i = 0; i < parts.length; i++) {
                if (!parts[i].getName().equals(names.get(i))) {
                    return null;
                }
                types[i] = parts[i].getType();
                arguments[i] = fit(values.get(i), types[i]);
            }
            return (Record) type.getConstructor(types).newInstance(arguments);
        } catch (ReflectiveOperationException | LinkageError | IllegalArgumentException e) {
            return null; // of another version of ours, and so not known here
        }
    }

    private static @Nullable Object fit(@Nullable Object value, Class<?> type) {
        if (value instanceof Long number) {
            if (type == int.class) {
                return number.intValue();
            }
            if (type == short.class) {
                return number.shortValue();
            }
            return type == byte.class ? (Object) number.byteValue() : number;
        }
        return value instanceof Double number && type == float.class ? (Object) number.floatValue() : value;
    }
}
