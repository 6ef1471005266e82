package dev.caskwright.infinispan;

import org.infinispan.commons.configuration.io.ConfigurationReader;
import org.infinispan.configuration.parsing.CacheParser;
import org.infinispan.configuration.parsing.ConfigurationBuilderHolder;
import org.infinispan.configuration.parsing.ConfigurationParser;
import org.infinispan.configuration.parsing.Namespace;
import org.infinispan.configuration.parsing.ParseUtils;

/** Reads the element {@code caskwright-store} from XML, JSON or YAML. Found by Infinispan's service loader. */
@Namespace(root = "caskwright-store")
@Namespace(uri = CaskwrightStoreConfiguration.NAMESPACE + "*", root = "caskwright-store")
public final class CaskwrightStoreConfigurationParser implements ConfigurationParser {
    /** Called by {@link java.util.ServiceLoader}. */
    public CaskwrightStoreConfigurationParser() {}

    @Override
    public void readElement(ConfigurationReader reader, ConfigurationBuilderHolder holder) {
        String element = CaskwrightStoreConfiguration.Element.CASKWRIGHT_STORE.toString();
        if (!reader.getLocalName().equals(element)) {
            throw ParseUtils.unexpectedElement(reader);
        }
        CaskwrightStoreConfigurationBuilder builder = holder.getCurrentConfigurationBuilder()
                .persistence()
                .addStore(CaskwrightStoreConfigurationBuilder.class);
        for (int i = 0; i < reader.getAttributeCount(); i++) {
            ParseUtils.requireNoNamespaceAttribute(reader, i);
            String value = reader.getAttributeValue(i);
            switch (reader.getAttributeName(i)) {
                case "path" -> builder.path(value);
                case "engine" -> builder.engine(value);
                case "sync-writes" -> builder.syncWrites(ParseUtils.parseBoolean(reader, i, value));
                case "caller-runs" -> builder.callerRuns(ParseUtils.parseBoolean(reader, i, value));
                default -> CacheParser.parseStoreAttribute(reader, i, builder);
            }
        }
        while (reader.inTag()) {
            CacheParser.parseStoreElement(reader, builder);
        }
    }

    @Override
    public Namespace[] getNamespaces() {
        return ParseUtils.getNamespaceAnnotations(getClass());
    }
}
