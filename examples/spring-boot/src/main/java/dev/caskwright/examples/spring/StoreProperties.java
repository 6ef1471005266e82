package dev.caskwright.examples.spring;

import dev.caskwright.api.Durability;
import java.nio.file.Path;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings {@code caskwright.directory} and {@code caskwright.durability}.
 *
 * @param directory where the store is
 * @param durability what a write survives that does not say: a kill of the process unless set otherwise
 */
@ConfigurationProperties("caskwright")
public record StoreProperties(
        Path directory, @DefaultValue("write") Durability durability) {}
