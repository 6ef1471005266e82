package dev.caskwright.kafka;

import dev.caskwright.kafka.SessionReads.SessionShape;
import dev.caskwright.kafka.WindowReads.WindowShape;
import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionBytesStoreSupplier;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowStore;
import org.jspecify.annotations.Nullable;

/**
 * Suppliers of single stores, for {@code Materialized.as}, {@code StreamJoined} and the builders of {@code Stores}. To
 * use Caskwright for all stores of an application, see {@link CaskwrightStoreSuppliers}. The format must be the one
 * that the builder expects: {@link StoreFormat#TIMESTAMPED} for {@code Materialized} and {@code Stores.timestamped…},
 * {@link StoreFormat#PLAIN} for {@code Stores.keyValueStoreBuilder}, {@code windowStoreBuilder} and session stores.
 *
 * <p>Stores take their {@link StoreOptions} from the configuration of the application.
 */
public final class CaskwrightStores {
    /** Segments are not shorter, in milliseconds. */
    private static final long SHORTEST_SEGMENT = 60_000;

    private static final String METRICS_SCOPE = "caskwright";

    private CaskwrightStores() {}

    private record KeyValues(
            String name, StoreFormat format, @Nullable StoreOptions options) implements KeyValueBytesStoreSupplier {
        @Override
        public KeyValueStore<Bytes, byte[]> get() {
            return CaskwrightKeyValueStore.of(name, format, options);
        }

        @Override
        public String metricsScope() {
            return METRICS_SCOPE;
        }
    }

    private record Windows(String name, WindowShape shape, StoreFormat format) implements WindowBytesStoreSupplier {
        @Override
        public WindowStore<Bytes, byte[]> get() {
            return CaskwrightWindowStore.of(name, shape, format, null);
        }

        @Override
        public String metricsScope() {
            return METRICS_SCOPE;
        }

        @Override
        public long segmentIntervalMs() {
            return shape.segmentInterval();
        }

        @Override
        public long windowSize() {
            return shape.size();
        }

        @Override
        public boolean retainDuplicates() {
            return shape.retainDuplicates();
        }

        @Override
        public long retentionPeriod() {
            return shape.retention();
        }
    }

    private record Sessions(String name, SessionShape shape, StoreFormat format) implements SessionBytesStoreSupplier {
        @Override
        public SessionStore<Bytes, byte[]> get() {
            return CaskwrightSessionStore.of(name, shape, format, null);
        }

        @Override
        public String metricsScope() {
            return METRICS_SCOPE;
        }

        @Override
        public long segmentIntervalMs() {
            return shape.segmentInterval();
        }

        @Override
        public long retentionPeriod() {
            return shape.retention();
        }
    }

    /** Returns a supplier of a key-value store. */
    public static KeyValueBytesStoreSupplier keyValueStore(String name, StoreFormat format) {
        return new KeyValues(checked(name), format, null);
    }

    /** Returns a supplier of a key-value store with options of its own, whatever the configuration says. */
    public static KeyValueBytesStoreSupplier keyValueStore(String name, StoreFormat format, StoreOptions options) {
        return new KeyValues(checked(name), format, options);
    }

    /**
     * Returns a supplier of a window store.
     *
     * @param retention how long a window is kept after its start, in the time of the stream; at least {@code
     *     windowSize}
     * @param windowSize the length of a window
     * @param retainDuplicates whether a key may have several values with the same start, as joins need
     * @throws IllegalArgumentException if a time is negative, or the retention less than the window
     */
    public static WindowBytesStoreSupplier windowStore(
            String name, Duration retention, Duration windowSize, boolean retainDuplicates, StoreFormat format) {
        long retained = millis("retention", retention);
        long size = millis("windowSize", windowSize);
        if (size > retained) {
            throw new IllegalArgumentException("the retention must not be less than the window: store=" + name
                    + ", retention=" + retention + ", windowSize=" + windowSize);
        }
        return new Windows(
                checked(name), new WindowShape(retained, segmentInterval(retained), size, retainDuplicates), format);
    }

    /**
     * Returns a supplier of a session store.
     *
     * @param retention how long a session is kept after its end, in the time of the stream
     * @throws IllegalArgumentException if the time is negative
     */
    public static SessionBytesStoreSupplier sessionStore(String name, Duration retention, StoreFormat format) {
        long retained = millis("retention", retention);
        return new Sessions(checked(name), new SessionShape(retained, segmentInterval(retained)), format);
    }

    private static long segmentInterval(long retention) {
        return Math.max(retention / 2, SHORTEST_SEGMENT);
    }

    private static long millis(String what, Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException(what + " must not be negative: " + time);
        }
        return time.toMillis();
    }

    private static String checked(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a store needs a name");
        }
        return name;
    }
}
