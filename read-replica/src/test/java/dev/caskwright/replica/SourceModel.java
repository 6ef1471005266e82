package dev.caskwright.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes to a source at random, and knows what it held at each moment. */
final class SourceModel {
    private static final int KEYS = 25;

    private record Value(String text, long expiresAtMillis) {}

    private final Random random;
    private final InstantSource clock;
    private final int shortestSeconds;
    private final Map<Moment, Map<String, Value>> states = new HashMap<>();
    private Map<String, Value> now = new TreeMap<>();
    private long writes;

    /** @param shortestSeconds how long what expires lives at least */
    SourceModel(Random random, InstantSource clock, int shortestSeconds) {
        this.random = random;
        this.clock = clock;
        this.shortestSeconds = shortestSeconds;
        states.put(Moment.START, Map.of());
    }

    /** Does one thing to the source. */
    void write(BitcaskEngine source) throws IOException {
        String key = key();
        switch (random.nextInt(8)) {
            case 0 -> {
                source.delete(key.getBytes(UTF_8));
                now.remove(key);
            }
            case 1 -> {
                Value before = now.get(key);
                Duration left = Duration.ofSeconds(shortestSeconds + random.nextInt(100));
                source.expire(key.getBytes(UTF_8), WriteOptions.DEFAULT.timeToLive(left));
                if (before != null && isAlive(before)) {
                    now.put(key, new Value(before.text(), clock.millis() + left.toMillis()));
                }
            }
            case 2 -> writeBatch(source);
            case 3 -> {
                String value = value();
                Duration left = Duration.ofSeconds(shortestSeconds + random.nextInt(100));
                source.put(key.getBytes(UTF_8), value.getBytes(UTF_8), WriteOptions.DEFAULT.timeToLive(left));
                now.put(key, new Value(value, clock.millis() + left.toMillis()));
            }
            default -> {
                String value = value();
                source.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
                now.put(key, new Value(value, Entry.NEVER));
            }
        }
        states.put(source.moment(), new TreeMap<>(now));
    }

    private void writeBatch(BitcaskEngine source) throws IOException {
        WriteBatch batch = new WriteBatch();
        for (int i = random.nextInt(10); i >= 0; i--) {
            String key = key();
            if (random.nextInt(3) == 0) {
                batch.delete(key.getBytes(UTF_8));
                now.remove(key);
            } else {
                String value = value();
                batch.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
                now.put(key, new Value(value, Entry.NEVER));
            }
        }
        source.write(batch);
    }

    private String key() {
        return "key" + random.nextInt(KEYS);
    }

    private String value() {
        return "v".repeat(random.nextInt(100)) + writes++;
    }

    private boolean isAlive(@Nullable Value value) {
        return value != null && (value.expiresAtMillis() == Entry.NEVER || clock.millis() < value.expiresAtMillis());
    }

    /** Says that the source is as it was at a moment. */
    void goBackTo(Moment moment) {
        assertThat(states).containsKey(moment);
        now = new TreeMap<>(states.get(moment));
    }

    /** A replica must show what the source held at the replica's moment, whatever became of that history. */
    void judge(ReadReplica replica) throws IOException {
        Map<String, Value> state = states.get(replica.position());
        assertThat(state).as("a moment of the source: %s", replica.position()).isNotNull();
        Map<String, String> expected = new TreeMap<>();
        state.forEach((key, value) -> {
            if (isAlive(value)) {
                expected.put(key, value.text());
            }
        });
        assertThat(ReplicaFixture.content(replica.store())).isEqualTo(expected);
    }
}
