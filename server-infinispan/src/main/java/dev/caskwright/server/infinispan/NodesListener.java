package dev.caskwright.server.infinispan;

import org.infinispan.notifications.Listener;
import org.infinispan.notifications.cachelistener.annotation.CacheEntryCreated;
import org.infinispan.notifications.cachelistener.annotation.CacheEntryModified;
import org.infinispan.notifications.cachelistener.event.CacheEntryEvent;
import org.infinispan.notifications.cachemanagerlistener.annotation.Merged;
import org.infinispan.notifications.cachemanagerlistener.annotation.ViewChanged;
import org.infinispan.notifications.cachemanagerlistener.event.ViewChangedEvent;

/** Is told by Infinispan when nodes come, go, or tell of themselves. */
@Listener
public final class NodesListener {
    private final Runnable look;

    NodesListener(Runnable look) {
        this.look = look;
    }

    /** Called by Infinispan. */
    @CacheEntryCreated
    @CacheEntryModified
    public void told(CacheEntryEvent<?, ?> event) {
        if (!event.isPre()) {
            look.run();
        }
    }

    /** Called by Infinispan. */
    @ViewChanged
    @Merged
    public void changed(ViewChangedEvent event) {
        look.run();
    }
}
