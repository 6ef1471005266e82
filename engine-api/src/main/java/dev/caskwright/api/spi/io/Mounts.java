package dev.caskwright.api.spi.io;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
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
    private record Mount(String id, String parent, String device, Path root, Path point) {
        Path place(Path name) {
            return root.resolve(point.relativize(name));
        }

        Path name(Path place) {
            return point.resolve(root.relativize(place));
        }
    }

    /**
     * A name of what lies at a real path. The two other paths lead to one directory if it is one, and are those of the path and
     * the name or lie above them.
     */
    record Name(Path path, Path above, Path aboveReal) {}

    private Mounts() {}

    static Mounts read() throws IOException {
        try {
            return parse(new String(Files.readAllBytes(TABLE), StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException | AccessDeniedException e) {
            return new Mounts(); // no Linux, or one that does not show this
        }
    }

    /**
     * See proc_pid_mountinfo(5): id, parent, device, root and point are the first fields of each line.
     *
     * @param table its bytes as letters: where names have several bytes a letter, one of them may be that of a backslash
     */
    static Mounts parse(String table) {
        Mounts result = new Mounts();
        for (String line : table.split("\n", -1)) { // and nowhere else: a name may have a carriage return in it
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
            Path root = Path.of(name(fields[3]));
            return new Mount(fields[0], fields[1], fields[2], root, Path.of(name(fields[4])));
        } catch (InvalidPathException e) {
            return null; // a name of bytes that this locale has no letters for: no path here leads to it
        }
    }

    /** Spaces, tabs, newlines and backslashes are written as a backslash and three octal digits. */
    private static String name(String field) {
        byte[] bytes = new byte[field.length()];
        int length = 0;
        for (int i = 0; i < field.length(); i++) {
            int next = field.charAt(i);
            if (next == '\\' && isOctal(field, i + 1)) {
                next = Integer.parseInt(field.substring(i + 1, i + 4), 8);
                i += 3;
            }
            bytes[length++] = (byte) next;
        }
        return new String(bytes, 0, length, Charset.forName(System.getProperty("sun.jnu.encoding")));
    }

    private static boolean isOctal(String field, int from) {
        for (int i = from; i < from + 3; i++) {
            if (i >= field.length() || field.charAt(i) < '0' || field.charAt(i) > '7') {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns all names of what lies at a real path, which comes first. The others are by the word of the table, which is not
     * true of each file system: NFS has one device for all that comes from one of the server's, and tells each root as /.
     */
    List<Name> names(Path real) {
        List<Name> names = new ArrayList<>(List.of(new Name(real, real, real)));
        Mount mount = mountOf(real);
        if (mount != null) {
            Path place = mount.place(real);
            for (Mount other : mounts) {
                if (other.device().equals(mount.device()) && place.startsWith(other.root())) {
                    boolean isDeeper =
                            other.root().getNameCount() > mount.root().getNameCount();
                    Path common = isDeeper ? other.root() : mount.root();
                    names.add(new Name(other.name(place), other.name(common), mount.name(common)));
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
