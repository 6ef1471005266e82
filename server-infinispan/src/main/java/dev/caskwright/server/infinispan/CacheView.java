package dev.caskwright.server.infinispan;

import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.server.replication.ExecutionView;
import dev.caskwright.server.store.RefusedException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cache as the commands of a {@link Work} see it. What has not been read yet looks like what is not there, and is noted: the
 * commands are executed again once it has been read, and what they did the first time counts for nothing. So commands need not know
 * that reading takes time.
 *
 * <p>Keys have the byte of their database before them, which is always the first. Keys of the server's own stay with the node. For the
 * runner's thread.
 */
final class CacheView extends ExecutionView {
    private static final byte OWN = (byte) 0xFF;

    /** The longest key with the byte before it: the store below the cache has its own bytes before and behind. */
    private static final int MAX_KEY_LENGTH = 65_000 + 1;

    private static final Work NONE = new Work(new byte[0]);

    private final Map<ByteBuffer, Work> claims;
    private final Map<ByteBuffer, byte[]> own;
    private final Budget budget;
    private Work work = NONE;

    /**
     * Makes a view.
     *
     * @param claims which work has claims to which key
     * @param own the server's own records
     * @param budget what changes are taken from
     */
    CacheView(Map<ByteBuffer, Work> claims, Map<ByteBuffer, byte[]> own, Budget budget) {
        this.budget = budget;
        this.claims = claims;
        this.own = own;
    }

    /** Has the view show, and change, what a work sees. */
    void show(Work next) {
        work = next;
    }

    private static boolean isOwn(byte[] key) {
        return key[0] == OWN;
    }

    /** Returns the key of the cache. */
    private static ByteBuffer name(byte[] key) {
        if (key[0] != 0) {
            throw new UnsupportedOperationException("there is one database: database=" + key[0]);
        }
        if (key.length > MAX_KEY_LENGTH) {
            throw new UnsupportedOperationException("the key is too long: length=" + (key.length - 1));
        }
        return ByteBuffer.wrap(key, 1, key.length - 1).slice();
    }

    private boolean claim(ByteBuffer name) {
        Work holder = claims.putIfAbsent(name, work);
        if (holder == null) {
            work.claimed.add(name);
        } else if (holder != work) {
            work.blocker = holder;
            return false;
        }
        return true;
    }

    private @Nullable Entry look(byte[] key) {
        if (isOwn(key)) {
            ByteBuffer name = ByteBuffer.wrap(key);
            byte[] value = work.ownChanges.containsKey(name) ? work.ownChanges.get(name) : own.get(name);
            return value == null ? null : new Entry(key, value, Entry.NO_VERSION, Entry.NEVER);
        }
        ByteBuffer name = name(key);
        if (!claim(name)) {
            return null;
        }
        Work.Change change = work.changes.get(name);
        if (change != null) {
            byte[] stored = change.stored();
            boolean isExpired = change.expiresAtMillis() != Entry.NEVER && change.expiresAtMillis() <= work.millis;
            return stored == null || isExpired
                    ? null
                    : new Entry(key, stored, Entry.NO_VERSION, change.expiresAtMillis());
        }
        byte[] value = work.known.get(name);
        if (value == null) {
            if (!work.known.containsKey(name)) {
                work.missing.add(name);
            }
            return null;
        }
        return CacheValue.isExpired(value, work.millis)
                ? null
                : new Entry(key, CacheValue.stored(value), Entry.NO_VERSION, CacheValue.expiresAtMillis(value));
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws RefusedException {
        if (isOwn(key)) {
            work.ownChanges.put(ByteBuffer.wrap(key), value);
            return;
        }
        ByteBuffer name = name(key);
        if (claim(name)) {
            note(name, new Work.Change(value, options.expiresAtMillis(work.millis)));
        }
    }

    private void note(ByteBuffer name, Work.Change change) throws RefusedException {
        Work.Change old = work.changes.get(name);
        long more = change.bytes() - (old == null ? 0 : old.bytes());
        if (more > 0 && !budget.take(more)) {
            throw new RefusedException(
                    "the changes that commands under way make take more than maxmemory-clients allows");
        }
        budget.give(more < 0 ? -more : 0);
        work.changedBytes += more;
        work.changes.put(name, change);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws RefusedException {
        if (isOwn(key)) {
            boolean wasThere = look(key) != null;
            work.ownChanges.put(ByteBuffer.wrap(key), null);
            return wasThere;
        }
        if (look(key) == null) {
            return false;
        }
        note(name(key), new Work.Change(null, Entry.NEVER));
        return true;
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws RefusedException {
        Entry entry = look(key);
        if (entry == null) {
            return false;
        }
        put(key, entry.value(), options);
        return true;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Entry entry = look(key);
        return entry == null ? null : entry.value();
    }

    @Override
    public boolean contains(byte[] key) {
        return look(key) != null;
    }

    @Override
    public @Nullable Entry entry(byte[] key) {
        return look(key);
    }
}
