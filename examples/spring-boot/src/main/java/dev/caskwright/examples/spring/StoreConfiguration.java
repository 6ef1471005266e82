package dev.caskwright.examples.spring;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Opens the store with the application. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(StoreProperties.class)
public class StoreConfiguration {
    /** Spring closes it after all beans that use it: it has a method {@code close}. */
    @Bean
    StorageEngine store(StoreProperties properties) throws IOException {
        return BitcaskEngine.builder(properties.directory())
                .durability(properties.durability())
                .open();
    }
}
