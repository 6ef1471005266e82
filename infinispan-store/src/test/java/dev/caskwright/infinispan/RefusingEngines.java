package dev.caskwright.infinispan;

import dev.caskwright.api.Facet;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import dev.caskwright.api.spi.engine.EngineSettings;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Engines that take no writes for a while, as on a full disk, and note which thread has read or written last. */
public final class RefusingEngines implements EngineProvider {
    static final String NAME = "refusing";

    static volatile boolean isRefusing;
    static volatile Thread lastCaller = Thread.currentThread();

    /** Looked for when it is needed: whoever looks for an engine makes all providers, and that is measured. */
    private static EngineProvider below() {
        return Backends.engine("bitcask");
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public StorageEngine open(Path path, EngineSettings settings) throws IOException {
        StorageEngine engine = below().open(path, settings);
        return (StorageEngine) Proxy.newProxyInstance(
                StorageEngine.class.getClassLoader(),
                new Class<?>[] {StorageEngine.class},
                (proxy, method, arguments) -> {
                    boolean isWrite = method.getName().equals("write");
                    if (isWrite && isRefusing) {
                        throw new IOException("no room");
                    }
                    if (isWrite || method.getName().equals("get")) {
                        lastCaller = Thread.currentThread();
                    }
                    try {
                        return method.invoke(engine, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public StoreAtRest atRest(Path path, EngineSettings settings) {
        return below().atRest(path, settings);
    }

    @Override
    public Optional<String> offers(Class<? extends Facet> facet) {
        return below().offers(facet);
    }

    @Override
    public Map<String, String> options() {
        return below().options();
    }
}
