package dev.caskwright.api.spi.engine;

import dev.caskwright.api.spi.Plugin;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.io.IoManagerProvider;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Finds engines, key indexes, IO managers and other plug-ins by name, among those on the class path or module path.
 *
 * <p>Three class loaders are asked, one after the other: that of this class, that of the caller, and the context class loader
 * of the thread. So a plug-in that lies beside this class or beside the caller is found whatever the context class loader is.
 * The first one of a name counts. A plug-in that cannot be loaded spoils no other one.
 */
public final class Backends {
    private static final int MOST_BROKEN = 100; // a loader may fail again and again without getting anywhere
    private static final StackWalker CALLERS = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private Backends() {}

    /**
     * Returns the engine of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     * @throws OutdatedPluginException if it was built against an older version of {@link EngineProvider}
     */
    public static EngineProvider engine(String name) {
        return find("engine", EngineProvider.class, name, CALLERS.getCallerClass());
    }

    /**
     * Returns the key index of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     * @throws OutdatedPluginException if it was built against an older version of {@link KeyIndexProvider}
     */
    public static KeyIndexProvider keyIndex(String name) {
        return find("key index", KeyIndexProvider.class, name, CALLERS.getCallerClass());
    }

    /**
     * Returns the IO manager of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     * @throws OutdatedPluginException if it was built against an older version of {@link IoManagerProvider}
     */
    public static IoManagerProvider ioManager(String name) {
        return find("IO manager", IoManagerProvider.class, name, CALLERS.getCallerClass());
    }

    /**
     * Returns the codec of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     * @throws OutdatedPluginException if it was built against an older version of {@link ValueCodec}
     */
    public static ValueCodec codec(String name) {
        return find("codec", ValueCodec.class, name, CALLERS.getCallerClass());
    }

    /**
     * Returns the plug-in of that type and name. The type is public, in a package that its module exports.
     *
     * @param kind what plug-ins of the type are called in messages, such as {@code tokenizer}
     * @throws IllegalArgumentException if there is none; the message lists the known names
     * @throws OutdatedPluginException if it was built against an older version of its interface
     */
    public static <P extends Plugin> P find(String kind, Class<P> type, String name) {
        return find(kind, type, name, CALLERS.getCallerClass());
    }

    /**
     * Returns all plug-ins of a type that can be loaded, by name, as {@link #find} sees them for a caller. The first one of a
     * name counts. Those that were built against an older version of their interface are left out.
     */
    public static <P extends Plugin> List<P> all(Class<P> type, Class<?> caller) {
        Search<P> search = new Search<>(null);
        for (ClassLoader loader : loaders(caller)) {
            search.in(services(type, loader));
        }
        search.known.values().removeIf(provider -> !PluginCheck.isComplete(provider));
        return List.copyOf(search.known.values());
    }

    private static <P extends Plugin> P find(String kind, Class<P> type, String name, Class<?> caller) {
        Search<P> search = new Search<>(name);
        for (ClassLoader loader : loaders(caller)) {
            P found = search.in(services(type, loader));
            if (found != null) {
                return PluginCheck.complete(found);
            }
        }
        throw new IllegalArgumentException("unknown " + kind + ": name=" + name + ", known="
                + String.join(", ", search.known.keySet()) + search.explanation(kind, type));
    }

    private static <P> ServiceLoader<P> services(Class<P> type, ClassLoader loader) {
        Backends.class.getModule().addUses(type);
        return ServiceLoader.load(type, loader);
    }

    private static Set<ClassLoader> loaders(Class<?> caller) {
        Set<ClassLoader> loaders = new LinkedHashSet<>();
        for (ClassLoader loader : new ClassLoader[] {
            Backends.class.getClassLoader(),
            caller.getClassLoader(),
            Thread.currentThread().getContextClassLoader()
        }) {
            if (loader != null) {
                loaders.add(loader);
            }
        }
        return loaders;
    }

    /** One search for a name, through several loaders. */
    private static final class Search<P extends Plugin> {
        private final @Nullable String name;
        private final Map<String, P> known = new TreeMap<>();
        private final List<Throwable> broken = new ArrayList<>();

        /** Searches for one name, or for all if it is null. */
        Search(@Nullable String name) {
            this.name = name;
        }

        @Nullable P in(ServiceLoader<P> loader) {
            Iterator<P> providers = loader.iterator();
            while (broken.size() < MOST_BROKEN) {
                try {
                    if (!providers.hasNext()) {
                        return null;
                    }
                    P provider = providers.next();
                    String found = provider.name();
                    known.putIfAbsent(found, provider);
                    if (found.equals(name)) {
                        return provider;
                    }
                } catch (ServiceConfigurationError | LinkageError | RuntimeException e) {
                    // Of another copy of the interface, or without a library that it needs. It may not be the one asked
                    // for.
                    broken.add(e);
                }
            }
            return null;
        }

        /** Says why a plug-in that should be there may not be found. */
        String explanation(String kind, Class<P> type) {
            StringBuilder text = new StringBuilder();
            if (!broken.isEmpty()) {
                text.append("; ").append(broken.size()).append(" could not be loaded, the first because of: ");
                text.append(broken.get(0));
                Throwable cause = broken.get(0).getCause();
                text.append(cause == null ? "" : ", " + cause);
            }
            CodeSource source = Backends.class.getProtectionDomain().getCodeSource();
            text.append("; if its classes are there, the likely reason is that ");
            text.append(source == null ? "the jar" : source.getLocation());
            text.append(" was merged from several jars and lost the service files META-INF/services/");
            text.append(type.getName()).append(": have the build join them, or ");
            text.append(
                    type == EngineProvider.class
                            ? "use the engine's own builder"
                            : "pass the " + kind + (type == ValueCodec.class ? " as an object" : " as a factory"));
            return text.toString();
        }
    }
}
