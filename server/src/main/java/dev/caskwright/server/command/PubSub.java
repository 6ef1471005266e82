package dev.caskwright.server.command;

import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.store.Bytes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who listens to which channels and patterns. In memory only, as in Redis. Used under the keyspace's lock. */
final class PubSub {
    private final Map<Bytes, Set<Session>> channels = new LinkedHashMap<>();
    private final Map<Bytes, Listeners> patterns = new LinkedHashMap<>();

    private record Listeners(Glob glob, Set<Session> sessions) {}

    /** What all listeners of one protocol are sent: the same bytes, however many they are. */
    private static final class Message {
        private final String kind;
        private final byte[][] parts;
        private byte @Nullable [] inResp2;
        private byte @Nullable [] inResp3;

        Message(String kind, byte[]... parts) {
            this.kind = kind;
            this.parts = parts;
        }

        byte[] bytes(int protocol) {
            byte[] known = protocol == 3 ? inResp3 : inResp2;
            if (known != null) {
                return known;
            }
            byte[] made = Push.of(protocol, kind, parts);
            if (protocol == 3) {
                inResp3 = made;
            } else {
                inResp2 = made;
            }
            return made;
        }
    }

    void subscribe(Session session, Bytes channel) {
        if (!session.channels().contains(channel)) {
            hold(session, channel);
            session.channels().add(channel);
            channels.computeIfAbsent(channel, missing -> new LinkedHashSet<>()).add(session);
        }
    }

    void unsubscribe(Session session, Bytes channel) {
        Set<Session> listeners = channels.get(channel);
        if (session.channels().remove(channel)) {
            session.letGoSubscription(channel);
            if (listeners != null && listeners.remove(session) && listeners.isEmpty()) {
                channels.remove(channel);
            }
        }
    }

    void subscribePattern(Session session, Bytes pattern) {
        if (!session.patterns().contains(pattern)) {
            Listeners known = patterns.get(pattern);
            Glob glob = known == null ? CommandException.glob(pattern.array()) : known.glob();
            hold(session, pattern);
            session.patterns().add(pattern);
            patterns.computeIfAbsent(pattern, missing -> new Listeners(glob, new LinkedHashSet<>()))
                    .sessions()
                    .add(session);
        }
    }

    void unsubscribePattern(Session session, Bytes pattern) {
        Listeners listeners = patterns.get(pattern);
        if (session.patterns().remove(pattern)) {
            session.letGoSubscription(pattern);
            if (listeners != null
                    && listeners.sessions().remove(session)
                    && listeners.sessions().isEmpty()) {
                patterns.remove(pattern);
            }
        }
    }

    private static void hold(Session session, Bytes name) {
        if (!session.holdSubscription(name)) {
            throw CommandException.noMemory();
        }
    }

    void unsubscribeAll(Session session) {
        new ArrayList<>(session.channels()).forEach(channel -> unsubscribe(session, channel));
        new ArrayList<>(session.patterns()).forEach(pattern -> unsubscribePattern(session, pattern));
    }

    /** Sends a message to all who listen; returns how many times. */
    int publish(byte[] channel, byte[] message) {
        int count = 0;
        Message plain = new Message("message", channel, message);
        for (Session session : channels.getOrDefault(new Bytes(channel), Set.of())) {
            session.link().push(plain.bytes(session.protocol()));
            count++;
        }
        for (Map.Entry<Bytes, Listeners> entry : patterns.entrySet()) {
            if (entry.getValue().glob().matches(channel, 0)) {
                Message matched = new Message("pmessage", entry.getKey().array(), channel, message);
                for (Session session : entry.getValue().sessions()) {
                    session.link().push(matched.bytes(session.protocol()));
                    count++;
                }
            }
        }
        return count;
    }

    /** Returns the channels that somebody listens to and that match. */
    List<byte[]> channels(Glob glob) {
        List<byte[]> matching = new ArrayList<>();
        for (Bytes channel : channels.keySet()) {
            if (glob.matches(channel.array(), 0)) {
                matching.add(channel.array());
            }
        }
        return matching;
    }

    int listeners(byte[] channel) {
        return channels.getOrDefault(new Bytes(channel), Set.of()).size();
    }

    int channelCount() {
        return channels.size();
    }

    int patternCount() {
        return patterns.size();
    }
}
