package dev.caskwright.infinispan;

import org.infinispan.commons.configuration.io.ConfigurationWriter;
import org.infinispan.commons.util.Version;
import org.infinispan.configuration.serializing.AbstractStoreSerializer;
import org.infinispan.configuration.serializing.ConfigurationSerializer;

/** Writes the element that {@link CaskwrightStoreConfigurationParser} reads. */
public final class CaskwrightStoreConfigurationSerializer extends AbstractStoreSerializer
        implements ConfigurationSerializer<CaskwrightStoreConfiguration> {
    /** Called by Infinispan. */
    public CaskwrightStoreConfigurationSerializer() {}

    @Override
    public void serialize(ConfigurationWriter writer, CaskwrightStoreConfiguration configuration) {
        writer.writeStartElement(CaskwrightStoreConfiguration.Element.CASKWRIGHT_STORE);
        writer.writeDefaultNamespace(CaskwrightStoreConfiguration.NAMESPACE + Version.getMajorMinor());
        configuration.attributes().write(writer);
        writeCommonStoreSubAttributes(writer, configuration);
        writeCommonStoreElements(writer, configuration);
        writer.writeEndElement();
    }
}
