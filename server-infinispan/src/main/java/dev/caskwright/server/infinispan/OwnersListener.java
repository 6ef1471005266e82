package dev.caskwright.server.infinispan;

import org.infinispan.notifications.Listener;
import org.infinispan.notifications.cachelistener.annotation.PartitionStatusChanged;
import org.infinispan.notifications.cachelistener.annotation.TopologyChanged;
import org.infinispan.notifications.cachelistener.event.PartitionStatusChangedEvent;
import org.infinispan.notifications.cachelistener.event.TopologyChangedEvent;

/** Is told by Infinispan when the owners of keys change. */
@Listener
public final class OwnersListener {
    private final Runnable changed;

    OwnersListener(Runnable changed) {
        this.changed = changed;
    }

    /** Called by Infinispan. */
    @TopologyChanged
    public void changed(TopologyChangedEvent<?, ?> event) {
        if (!event.isPre()) {
            changed.run();
        }
    }

    /** Called by Infinispan. */
    @PartitionStatusChanged
    public void changed(PartitionStatusChangedEvent<?, ?> event) {
        if (!event.isPre()) {
            changed.run();
        }
    }
}
