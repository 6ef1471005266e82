package dev.caskwright.api.spi.engine;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.security.CodeSource;
import org.jspecify.annotations.Nullable;

/**
 * Checks that what a plug-in made has every method that its interface asks for. The compiler does, but a plug-in may have
 * been compiled against an older version of the interface: without this, a call in the middle of a write would end in an
 * {@link AbstractMethodError}.
 */
public final class PluginCheck {
    private static final ClassValue<String> MISSING = new ClassValue<>() {
        @Override
        protected String computeValue(Class<?> type) {
            return firstMissing(type);
        }
    };

    private PluginCheck() {}

    /**
     * Returns {@code made} if it implements every method of its interfaces.
     *
     * @throws OutdatedPluginException if it does not
     */
    public static <T> T complete(T made) {
        String missing = MISSING.get(made.getClass());
        if (!missing.isEmpty()) {
            throw new OutdatedPluginException(
                    "a plug-in was built against an older version of its interface: class="
                            + made.getClass().getName() + ", from=" + place(made.getClass()) + ", missing=" + missing
                            + "; use a version of it that was built for this one, or build it again",
                    null);
        }
        return made;
    }

    /** Returns whether {@code made} implements every method of its interfaces. */
    static boolean isComplete(Object made) {
        return MISSING.get(made.getClass()).isEmpty();
    }

    /** Returns the error for a method that a plug-in, or what it made, turned out not to have. */
    public static OutdatedPluginException outdated(LinkageError missing) {
        return new OutdatedPluginException(
                "a plug-in was built against another version of its interface: " + missing.getMessage()
                        + "; use a version of it that was built for this one, or build it again",
                missing);
    }

    private static String firstMissing(Class<?> type) {
        try {
            for (Method method : type.getMethods()) {
                if (Modifier.isAbstract(method.getModifiers())) {
                    return method.getDeclaringClass().getSimpleName() + "." + method.getName();
                }
            }
            return "";
        } catch (LinkageError e) {
            return e.toString(); // a type that its methods name is not there
        }
    }

    private static String place(Class<?> type) {
        @Nullable CodeSource source = type.getProtectionDomain().getCodeSource();
        return source == null ? "an unknown place" : String.valueOf(source.getLocation());
    }
}
