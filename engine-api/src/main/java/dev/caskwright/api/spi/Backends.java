package dev.caskwright.api.spi;

import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.Function;

/** Finds key indexes and IO managers by name, among those on the class path or module path. */
public final class Backends {
    private Backends() {}

    /**
     * Returns the key index of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     */
    public static KeyIndexProvider keyIndex(String name) {
        return find("key index", name, ServiceLoader.load(KeyIndexProvider.class), KeyIndexProvider::name);
    }

    /**
     * Returns the IO manager of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     */
    public static IoManagerProvider ioManager(String name) {
        return find("IO manager", name, ServiceLoader.load(IoManagerProvider.class), IoManagerProvider::name);
    }

    private static <P> P find(String kind, String name, ServiceLoader<P> loader, Function<P, String> naming) {
        TreeMap<String, P> known = new TreeMap<>();
        for (P provider : loader) {
            known.put(naming.apply(provider), provider);
        }
        P found = known.get(name);
        if (found == null) {
            throw new IllegalArgumentException(
                    "unknown " + kind + ": name=" + name + ", known=" + String.join(", ", known.keySet()));
        }
        return found;
    }
}
