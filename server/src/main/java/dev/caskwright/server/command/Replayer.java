package dev.caskwright.server.command;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.server.command.CommandLog.Input;
import dev.caskwright.server.command.CommandLog.Output;
import dev.caskwright.server.command.CommandLog.Watch;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Changes;
import dev.caskwright.server.store.Keyspace;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Executes logged commands with the code that executes those of a server's own clients, as a client of its own who may do
 * everything. The configuration is that of defaults: nothing that one member sets may make it do something else than the others.
 */
public final class Replayer implements Replay, Changes.Listener {
    /** How many databases there are if several servers are one: all members must agree. */
    public static final int DATABASES = 16;

    /** How many changes an entry may have: the numbers of changes of one entry must be less than those of the next. */
    private static final int CHANGE_BITS = 20;

    private final ReplayStore store = new ReplayStore();
    private final WatchTable watches = new WatchTable();
    private final List<byte[]> changed = new ArrayList<>();
    private final List<ByteBuf> chunks = new ArrayList<>();
    private final Reply reply = new Reply(UnpooledByteBufAllocator.DEFAULT, chunks);
    private boolean hasChangedAll;
    private long millis;
    private long change;
    private @Nullable Call call;

    @Override
    public byte[] apply(StorageEngine target, byte[] commands, long index, long atMillis) throws IOException {
        store.target(target);
        millis = atMillis;
        change = Math.max(change, index << CHANGE_BITS);
        Call ready = call;
        if (ready == null) {
            ready = open();
            call = ready;
        }
        Input input = new Input(commands);
        int format = input.single();
        if (format != CommandLog.FORMAT) {
            throw new IOException("logged commands have a format that is not known: format=" + format
                    + "; this member needs the version that wrote them");
        }
        int protocol = input.single();
        int count = input.count();
        Output replies = new Output();
        // Whoever holds the lock sees what a transaction has changed so far; nobody else wants it.
        ReentrantLock lock = ready.keyspace().lock();
        lock.lock();
        try {
            for (int i = 0; i < count; i++) {
                run(ready, input, protocol, replies);
            }
        } finally {
            lock.unlock();
        }
        if (!input.isAtEnd()) {
            throw new IOException("logged commands have bytes behind their end: length=" + commands.length);
        }
        return replies.toBytes();
    }

    @Override
    public void reset() {
        call = null;
        change = 0;
        // What a command that failed has left.
        changed.clear();
        hasChangedAll = false;
        chunks.forEach(ByteBuf::release);
        chunks.clear();
    }

    private Call open() throws IOException {
        watches.load(store);
        Keyspace keyspace = Keyspace.replicated(store, () -> java.time.Instant.ofEpochMilli(millis), DATABASES);
        keyspace.changes().listener(this);
        Host host = Host.ofReplay(new ServerConfig(), keyspace);
        Session session = new Session(0, new NoLink(), host, millis);
        return Dispatcher.callOf(host, session, reply);
    }

    private void run(Call ready, Input input, int protocol, Output replies) throws IOException {
        int kind = input.single();
        ready.session().database((int) input.number());
        reply.begin(chunks, protocol);
        boolean isWatch = false;
        switch (kind) {
            case CommandLog.COMMAND -> Dispatcher.replay(ready, input.request(), reply);
            case CommandLog.TRANSACTION -> transaction(ready, input);
            case CommandLog.CLEAN -> clean(ready, input);
            case CommandLog.WATCH -> isWatch = true;
            default -> throw new IOException("a logged command is of a kind that is not known: kind=" + kind);
        }
        replies.bytes(isWatch ? watch(ready, input.request()) : written());
        noteChanges();
        Throwable problem = ready.takeProblem();
        if (problem != null) {
            throw new IOException("the store failed under a command that all members execute", problem);
        }
    }

    private void clean(Call ready, Input input) throws IOException {
        byte slot = (byte) input.single();
        int count = input.count();
        List<byte[]> keys = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            keys.add(input.bytes());
        }
        ready.keyspace().clean(new Keyspace.Leftovers(slot, keys));
        reply.ok();
    }

    private byte[] written() {
        reply.drain();
        byte[] bytes = new byte[(int) reply.written()];
        int position = 0;
        for (ByteBuf chunk : chunks) {
            int length = chunk.readableBytes();
            chunk.readBytes(bytes, position, length);
            position += length;
            chunk.release();
        }
        chunks.clear();
        return bytes;
    }

    private void transaction(Call ready, Input input) throws IOException {
        boolean isUnchanged = true;
        for (Watch watch : input.watches()) {
            // A key that expired has changed, though nobody wrote it.
            isUnchanged &= watches.isUnchanged(watch.place(), watch.since())
                    && (!watch.wasThere() || store.contains(watch.key()));
        }
        int count = input.count();
        List<Request> requests = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            requests.add(input.request());
        }
        if (isUnchanged) {
            Dispatcher.replayTransaction(ready, requests, reply);
        } else {
            reply.nilArray();
        }
    }

    private byte[] watch(Call ready, Request request) throws IOException {
        Dispatcher.prepare(ready, request, reply);
        List<Watch> watched = new ArrayList<>();
        for (int i = 1; i < request.count(); i++) {
            byte[] key = ready.key(i);
            int place = WatchTable.place(key);
            watched.add(new Watch(place, watches.watch(store, place, ++change), store.contains(key), key));
        }
        Output output = new Output();
        output.watches(watched);
        return output.toBytes();
    }

    @Override
    public void changed(byte[] key) {
        changed.add(key);
    }

    @Override
    public void changedAll() {
        hasChangedAll = true;
    }

    private void noteChanges() throws IOException {
        change++;
        if (hasChangedAll) {
            watches.changedAll(store);
        }
        for (byte[] key : changed) {
            watches.changed(store, WatchTable.place(key));
        }
        changed.clear();
        hasChangedAll = false;
    }

    /** Nobody is behind the client that executes what was logged. */
    private static final class NoLink implements Link {
        @Override
        public void push(byte[] bytes) {}

        @Override
        public boolean hold(long bytes) {
            return true; // what a server's own memory allows must not decide what all members do
        }

        @Override
        public void letGo(long bytes) {}

        @Override
        public void close(boolean gently) {}

        @Override
        public String remoteAddress() {
            return "?:0";
        }

        @Override
        public String localAddress() {
            return "?:0";
        }

        @Override
        public long inputBytes() {
            return 0;
        }

        @Override
        public long outputBytes() {
            return 0;
        }

        @Override
        public void resume() {}
    }
}
