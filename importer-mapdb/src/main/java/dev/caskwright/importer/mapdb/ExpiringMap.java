package dev.caskwright.importer.mapdb;

import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import kotlin.Unit;
import org.jspecify.annotations.Nullable;
import org.mapdb.HTreeMap;
import org.mapdb.QueueLong;
import org.mapdb.Store;

/**
 * The entries of a hashed map with the time at which each expires. MapDB keeps that in queues beside the entries and has no method that
 * tells it, so five that it keeps to itself are called; where they are not there, the map is an error.
 *
 * <p>A leaf of the map is an array of key, value and the number of the entry's place in a queue, again and again; 0 if it does not expire.
 */
final class ExpiringMap {
    private static final int LEAF_PARTS = 3;

    private final HTreeMap<?, ?> map;
    private final Method leafGet;
    private final Method valueUnwrap;
    private final Method queueFor;
    private final Method nodeFor;
    private final ReadWriteLock[] locks;
    private final IdentityHashMap<QueueLong, Map<Long, Long>> times = new IdentityHashMap<>();

    ExpiringMap(HTreeMap<?, ?> map) throws IOException {
        this.map = map;
        try {
            leafGet = method("leafGet", Store.class, long.class);
            valueUnwrap = method("valueUnwrap", int.class, Object.class);
            queueFor = method("expireQueueFor", int.class, long.class);
            nodeFor = method("expireNodeRecidFor", long.class);
            locks = (ReadWriteLock[]) method("getLocks").invoke(map);
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new IOException("this version of MapDB does not tell when entries expire: " + e, e);
        }
    }

    private static Method method(String name, Class<?>... parameters) throws ReflectiveOperationException {
        Method method = HTreeMap.class.getDeclaredMethod(name, parameters);
        method.setAccessible(true);
        return method;
    }

    /** An entry, of arrays of bytes, and when it expires. */
    record Expiring(Object key, Object value, long expiresAtMillis) {}

    /** Returns how many segments the map has. */
    int segments() {
        return map.getStores().length;
    }

    /** Returns the leaves of a segment; a RuntimeException of MapDB says that they are damaged, here and below. */
    long[] leaves(int segment) {
        return map.getIndexTrees()[segment].values().toArray();
    }

    /** Returns the entries of a leaf. */
    List<Expiring> entries(int segment, long leaf) throws IOException {
        Object[] parts = (Object[]) call(segment, leafGet, map.getStores()[segment], leaf);
        List<Expiring> entries = new ArrayList<>();
        for (int i = 0; i + LEAF_PARTS <= parts.length; i += LEAF_PARTS) {
            Object value = call(segment, valueUnwrap, segment, parts[i + 1]);
            entries.add(new Expiring(
                    MapDbFormat.bytes(parts[i]), MapDbFormat.bytes(value), time(segment, (Long) parts[i + 2])));
        }
        return entries;
    }

    private long time(int segment, long place) throws IOException {
        if (place == 0) {
            return Receiver.NEVER;
        }
        QueueLong queue = (QueueLong) call(segment, queueFor, segment, place);
        Long time = times.computeIfAbsent(queue, ExpiringMap::times).get((Long) call(segment, nodeFor, place));
        if (time == null) {
            throw new IllegalStateException("an entry is not in the queue of those that expire");
        }
        return time == 0 ? Receiver.NEVER : time; // 0 in a queue that only bounds the size
    }

    private static Map<Long, Long> times(QueueLong queue) {
        Map<Long, Long> times = new HashMap<>();
        queue.forEach((node, value, time) -> {
            times.put(node, time);
            return Unit.INSTANCE;
        });
        return times;
    }

    private Object call(int segment, Method method, @Nullable Object... arguments) throws IOException {
        Lock lock = locks[segment].readLock();
        lock.lock();
        try {
            return method.invoke(map, arguments);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(String.valueOf(e.getCause()), e.getCause());
        } catch (IllegalAccessException e) {
            throw new IOException("this version of MapDB does not tell when entries expire: " + e, e);
        } finally {
            lock.unlock();
        }
    }
}
