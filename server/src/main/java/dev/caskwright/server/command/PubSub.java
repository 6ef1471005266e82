package dev.caskwright.server.command;

import dev.caskwright.server.resp.Glob;
import dev.caskwright.server.store.Bytes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who listens to which channels and patterns. In memory only, as in Redis. Used under the keyspace's lock. */
final class PubSub {
    private final Map<Bytes, Set<Session>> channels = new LinkedHashMap<>();
    private final Map<Bytes, Listeners> patterns = new LinkedHashMap<>();

    private record Listeners(Glob glob, Set<Session> sessions) {}

    void subscribe(Session session, Bytes channel) {
        if (session.channels().add(channel)) {
            channels.computeIfAbsent(channel, missing -> new LinkedHashSet<>()).add(session);
        }
    }

    void unsubscribe(Session session, Bytes channel) {
        Set<Session> listeners = channels.get(channel);
        if (session.channels().remove(channel)
                && listeners != null
                && listeners.remove(session)
                && listeners.isEmpty()) {
            channels.remove(channel);
        }
    }

    void subscribePattern(Session session, Bytes pattern) {
        if (session.patterns().add(pattern)) {
            patterns.computeIfAbsent(
                            pattern, missing -> new Listeners(new Glob(pattern.array()), new LinkedHashSet<>()))
                    .sessions()
                    .add(session);
        }
    }

    void unsubscribePattern(Session session, Bytes pattern) {
        Listeners listeners = patterns.get(pattern);
        if (session.patterns().remove(pattern)
                && listeners != null
                && listeners.sessions().remove(session)
                && listeners.sessions().isEmpty()) {
            patterns.remove(pattern);
        }
    }

    void unsubscribeAll(Session session) {
        new ArrayList<>(session.channels()).forEach(channel -> unsubscribe(session, channel));
        new ArrayList<>(session.patterns()).forEach(pattern -> unsubscribePattern(session, pattern));
    }

    /** Sends a message to all who listen; returns how many times. */
    int publish(byte[] channel, byte[] message) {
        int count = 0;
        for (Session session : channels.getOrDefault(new Bytes(channel), Set.of())) {
            session.link().push(Push.of(session.protocol(), "message", channel, message));
            count++;
        }
        for (Map.Entry<Bytes, Listeners> entry : patterns.entrySet()) {
            if (entry.getValue().glob().matches(channel, 0)) {
                for (Session session : entry.getValue().sessions()) {
                    session.link()
                            .push(Push.of(
                                    session.protocol(),
                                    "pmessage",
                                    entry.getKey().array(),
                                    channel,
                                    message));
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
