package dev.caskwright.api.spi;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What Linux has mounted where. A directory may be mounted a second time, by {@code mount --bind}, and then the parents of its
 * second name are not those that it lies in. Elsewhere nothing is known of mounts.
 */
final class Mounts {
    private static final Path TABLE = Path.of("/proc/self/mountinfo");
    private static final int LEAST_FIELDS = 5;

    private final List<Mount> mounts = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();

    /** That the file system of a device, from {@code root} in it, is seen at {@code point}. */
    private record Mount(String id, String parent, String device, Path root, Path point) {}

    private Mounts() {}

    static Mounts read() throws IOException {
        try {
            return parse(
                    new String(Files.readAllBytes(TABLE), Charset.forName(System.getProperty("sun.jnu.encoding"))));
        } catch (NoSuchFileException | AccessDeniedException e) {
            return new Mounts(); // no Linux, or one that does not show this
        }
    }

    /** See proc_pid_mountinfo(5): id, parent, device, root and point are the first fields of each line. */
    static Mounts parse(String table) {
        Mounts result = new Mounts();
        for (String line : table.lines().toList()) {
            String[] fields = line.split(" ", LEAST_FIELDS + 1);
            // What is no path in a file system, such as a name space, is no place of a directory.
            if (fields.length > LEAST_FIELDS && fields[3].startsWith("/") && fields[4].startsWith("/")) {
                result.ids.add(fields[0]);
                Mount mount = mount(fields);
                if (mount != null) {
                    result.mounts.add(mount);
                }
            }
        }
        return result;
    }

    private static @Nullable Mount mount(String[] fields) {
        try {
            Path root = Path.of(unescaped(fields[3]));
            return new Mount(fields[0], fields[1], fields[2], root, Path.of(unescaped(fields[4])));
        } catch (InvalidPathException e) {
            return null; // a name of bytes that this locale has no letters for: no path here leads to it
        }
    }

    /** Spaces, tabs, newlines and backslashes are written as a backslash and three octal digits. */
    private static String unescaped(String field) {
        StringBuilder text = new StringBuilder(field.length());
        for (int i = 0; i < field.length(); i++) {
            char next = field.charAt(i);
            if (next == '\\' && i + 3 < field.length()) {
                next = (char) Integer.parseInt(field.substring(i + 1, i + 4), 8);
                i += 3;
            }
            text.append(next);
        }
        return text.toString();
    }

    /** Returns all names of what lies at a real path, which comes first. */
    List<Path> names(Path real) {
        List<Path> names = new ArrayList<>(List.of(real));
        Mount mount = mountOf(real);
        if (mount != null) {
            Path place = mount.root().resolve(mount.point().relativize(real));
            for (Mount other : mounts) {
                if (other.device().equals(mount.device()) && place.startsWith(other.root())) {
                    names.add(other.point().resolve(other.root().relativize(place)));
                }
            }
        }
        return names;
    }

    /** Follows a path from mount to mount, as the system does: one may hide another. */
    private @Nullable Mount mountOf(Path real) {
        Mount at = null;
        for (Mount next = next(null, real); next != null; next = next(next, real)) {
            at = next;
        }
        return at;
    }

    private @Nullable Mount next(@Nullable Mount from, Path real) {
        Mount first = null;
        for (Mount each : mounts) {
            boolean isOn = from == null
                    ? !ids.contains(each.parent()) || each.parent().equals(each.id())
                    : each.parent().equals(from.id()) && !each.id().equals(from.id());
            boolean isFirst = first == null
                    || each.point().getNameCount() <= first.point().getNameCount();
            if (isOn && isFirst && real.startsWith(each.point())) {
                first = each;
            }
        }
        return first;
    }
}
