package dev.caskwright.api.spi;

import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds key indexes and IO managers by name, among those on the class path or module path.
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
     * Returns the key index of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     */
    public static KeyIndexProvider keyIndex(String name) {
        return find("key index", KeyIndexProvider.class, name, KeyIndexProvider::name, CALLERS.getCallerClass());
    }

    /**
     * Returns the IO manager of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names
     */
    public static IoManagerProvider ioManager(String name) {
        return find("IO manager", IoManagerProvider.class, name, IoManagerProvider::name, CALLERS.getCallerClass());
    }

    private static <P> P find(String kind, Class<P> type, String name, Function<P, String> naming, Class<?> caller) {
        Search<P> search = new Search<>(name, naming);
        for (ClassLoader loader : loaders(caller)) {
            P found = search.in(ServiceLoader.load(type, loader));
            if (found != null) {
                return found;
            }
        }
        throw new IllegalArgumentException("unknown " + kind + ": name=" + name + ", known="
                + String.join(", ", search.known) + search.explanation(kind, type));
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
    private static final class Search<P> {
        private final String name;
        private final Function<P, String> naming;
        private final Set<String> known = new TreeSet<>();
        private final List<Throwable> broken = new ArrayList<>();

        Search(String name, Function<P, String> naming) {
            this.name = name;
            this.naming = naming;
        }

        @Nullable P in(ServiceLoader<P> loader) {
            Iterator<P> providers = loader.iterator();
            while (broken.size() < MOST_BROKEN) {
                try {
                    if (!providers.hasNext()) {
                        return null;
                    }
                    P provider = providers.next();
                    String found = naming.apply(provider);
                    known.add(found);
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
            text.append(type.getName())
                    .append(": have the build join them, or pass the ")
                    .append(kind);
            return text.append(" as a factory").toString();
        }
    }
}
