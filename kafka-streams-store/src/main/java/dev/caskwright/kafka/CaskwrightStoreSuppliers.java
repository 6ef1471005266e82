package dev.caskwright.kafka;

import java.util.Map;
import org.apache.kafka.streams.DslStoreFormat;
import org.apache.kafka.streams.state.DslKeyValueParams;
import org.apache.kafka.streams.state.DslSessionParams;
import org.apache.kafka.streams.state.DslStoreSuppliers;
import org.apache.kafka.streams.state.DslWindowParams;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.SessionBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes Caskwright the store of everything that the DSL of a Kafka Streams application keeps, in place of RocksDB:
 *
 * <pre>
 * dsl.store.suppliers.class=dev.caskwright.kafka.CaskwrightStoreSuppliers
 * </pre>
 *
 * <p>{@link StoreOptions} lists what else can be set.
 */
public final class CaskwrightStoreSuppliers implements DslStoreSuppliers {
    /** Called by Kafka Streams. */
    public CaskwrightStoreSuppliers() {
        HostVersion.check();
    }

    @Override
    public void configure(Map<String, ?> configuration) {
        StoreOptions.from(configuration); // a bad option is refused now; each store reads them when it is opened
    }

    @Override
    public KeyValueBytesStoreSupplier keyValueStore(DslKeyValueParams parameters) {
        return CaskwrightStores.keyValueStore(parameters.name(), format(parameters.dslStoreFormat()));
    }

    @Override
    public WindowBytesStoreSupplier windowStore(DslWindowParams parameters) {
        return CaskwrightStores.windowStore(
                parameters.name(),
                parameters.retentionPeriod(),
                parameters.windowSize(),
                parameters.retainDuplicates(),
                format(parameters.dslStoreFormat()));
    }

    @Override
    public SessionBytesStoreSupplier sessionStore(DslSessionParams parameters) {
        return CaskwrightStores.sessionStore(
                parameters.name(), parameters.retentionPeriod(), format(parameters.storeFormat()));
    }

    private static StoreFormat format(@Nullable DslStoreFormat format) {
        if (format == null) {
            return StoreFormat.PLAIN;
        }
        return switch (format) {
            case PLAIN -> StoreFormat.PLAIN;
            case TIMESTAMPED -> StoreFormat.TIMESTAMPED;
            case HEADERS -> StoreFormat.HEADERS;
        };
    }
}
