package dev.caskwright.examples.sessions;

import dev.caskwright.api.Codecs;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.TypedStore;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;

/**
 * Sessions of a web site: each ends some time after it was last seen, or when its user logs out. They survive a restart
 * and a kill of the process. Any number of threads may call; the store belongs to the caller, who closes it.
 */
public final class SessionStore {
    private static final int ID_BYTES = 16; // 128 random bits cannot be guessed

    private final SecureRandom random = new SecureRandom();
    private final TypedStore<String, String> users;
    private final Expiry expiry;
    private final WriteOptions untilIdle;

    /**
     * Keeps sessions in a store.
     *
     * @param idle how long a session lives without being seen
     * @throws dev.caskwright.api.MissingFacetException if entries of the store cannot expire; the error names engines whose can
     */
    public SessionStore(StorageEngine store, Duration idle) {
        users = store.as(Codecs.STRING, Codecs.STRING);
        expiry = store.require(Expiry.class);
        untilIdle = WriteOptions.DEFAULT.timeToLive(idle);
    }

    /** Begins a session of a user and returns its id. */
    public String begin(String user) throws IOException {
        byte[] id = new byte[ID_BYTES];
        random.nextBytes(id);
        String session = Base64.getUrlEncoder().withoutPadding().encodeToString(id);
        users.put(session, user, untilIdle);
        return session;
    }

    /** Returns the user of a session, and lets it live on from now; nothing if there is no such session, or no more. */
    public Optional<String> seen(String session) throws IOException {
        // False if it has ended. If it ends between the two calls, there is no user to return.
        if (!expiry.expire(Codecs.STRING.encode(session), untilIdle)) {
            return Optional.empty();
        }
        return Optional.ofNullable(users.get(session));
    }

    /** Ends a session; returns whether there was one. */
    public boolean end(String session) throws IOException {
        return users.delete(session);
    }
}
