package dev.caskwright.examples.springcache;

import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.stereotype.Service;

/** Writes notes, which takes long, so that each is written once. */
@Service
public class Notes {
    static final String CACHE = "notes";

    private final AtomicInteger written = new AtomicInteger();

    /** Returns the note about a cask; called only if it is not in the cache. */
    @Cacheable(CACHE)
    public Note about(String cask) {
        written.incrementAndGet();
        return new Note(cask, "oak, tasted for an hour");
    }

    /** Has the note about a cask written anew, the next time. */
    @CacheEvict(CACHE)
    public void forget(String cask) {}

    /** Returns how many notes were written since the application was started. */
    public int written() {
        return written.get();
    }
}
