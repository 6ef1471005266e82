package dev.caskwright.examples.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import org.springframework.stereotype.Component;

/** How often the application was started. */
@Component
public class Starts {
    private static final byte[] KEY = "starts".getBytes(UTF_8);

    private final ConditionalWrites counters;

    Starts(StorageEngine store) {
        counters = store.require(ConditionalWrites.class);
    }

    /** Counts one more start; returns how many there were. */
    public long count() throws IOException {
        return counters.increment(KEY, 1);
    }
}
