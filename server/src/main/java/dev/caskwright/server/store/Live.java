package dev.caskwright.server.store;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * The store itself. Every change is with the operating system when it returns ({@link Durability#WRITE}), and is counted,
 * also one that failed: what became of it may be unknown.
 */
final class Live implements Data {
    private final StorageEngine engine;
    private final InstantSource clock;
    private final Changes changes;
    private final Ahead ahead;

    Live(StorageEngine engine, InstantSource clock, Changes changes, Ahead ahead) {
        this.engine = engine;
        this.clock = clock;
        this.changes = changes;
        this.ahead = ahead;
    }

    long nowMillis() {
        return clock.millis();
    }

    static WriteOptions options(long expiresAtMillis) {
        return expiresAtMillis == NEVER
                ? WriteOptions.WRITE
                : WriteOptions.WRITE.expiresAt(Instant.ofEpochMilli(Math.max(1, expiresAtMillis)));
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        changes.beforeRead(key);
        return engine.get(key, target);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        changes.beforeRead(key);
        return engine.get(key);
    }

    @Override
    public @Nullable Stored entry(byte[] key) throws IOException {
        changes.beforeRead(key);
        Entry entry = engine.entry(key);
        return entry == null ? null : new Stored(entry.value(), entry.expiresAtMillis());
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        changes.beforeRead(key);
        return engine.contains(key);
    }

    @Override
    public void put(byte[] key, byte[] stored, long expiresAtMillis) throws IOException {
        ahead.forget();
        try {
            engine.put(key, stored, options(expiresAtMillis));
        } finally {
            changes.changed(key);
        }
    }

    @Override
    public boolean delete(byte[] key) throws IOException {
        changes.beforeRead(key);
        ahead.forget();
        boolean wasThere = true;
        try {
            wasThere = engine.delete(key, WriteOptions.WRITE);
            return wasThere;
        } finally {
            if (wasThere) {
                changes.changed(key);
            }
        }
    }

    @Override
    public void expire(byte[] key, long expiresAtMillis) throws IOException {
        ahead.forget();
        try {
            engine.require(Expiry.class).expire(key, options(expiresAtMillis));
        } finally {
            changes.changed(key);
        }
    }

    void write(WriteBatch batch, Iterable<Bytes> keys) throws IOException {
        ahead.forget();
        try {
            engine.write(batch, WriteOptions.WRITE);
        } finally {
            for (Bytes key : keys) {
                changes.changed(key.array());
            }
        }
    }
}
