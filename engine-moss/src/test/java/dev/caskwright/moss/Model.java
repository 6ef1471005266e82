package dev.caskwright.moss;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Range;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;

/**
 * What a store with collections should hold: a map for each path of names. Keys are ASCII, so that strings order as
 * bytes do.
 */
final class Model {
    static final List<String> PATHS = List.of("", "a", "b", "a/x", "a/x/y");

    private final TreeMap<String, TreeMap<String, String>> collections = new TreeMap<>();

    Model() {
        collections.put("", new TreeMap<>());
    }

    Model copy() {
        Model copy = new Model();
        collections.forEach((path, content) -> copy.collections.put(path, new TreeMap<>(content)));
        return copy;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Model model && model.collections.equals(collections);
    }

    @Override
    public int hashCode() {
        return collections.hashCode();
    }

    @Override
    public String toString() {
        return collections.toString();
    }

    private TreeMap<String, String> made(String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            collections.computeIfAbsent(path.substring(0, slash), name -> new TreeMap<>());
        }
        return collections.computeIfAbsent(path, name -> new TreeMap<>());
    }

    private TreeMap<String, String> read(String path) {
        return collections.getOrDefault(path, new TreeMap<>());
    }

    /** Adds random changes to a batch and to this model. */
    void change(Random random, MossBatch batch, int changes, int keys, int number) {
        for (int i = 0; i < changes; i++) {
            String path = PATHS.get(random.nextInt(3) == 0 ? random.nextInt(PATHS.size()) : 0);
            MossBatch part = part(batch, path);
            String key = "k" + random.nextInt(keys);
            int choice = random.nextInt(20);
            if (choice < 9) {
                String value = "v".repeat(random.nextInt(random.nextInt(10) == 0 ? 300 : 20)) + number + "." + i;
                part.put(bytes(key), bytes(value));
                made(path).put(key, value);
            } else if (choice < 13) {
                part.delete(bytes(key));
                read(path).remove(key);
            } else if (choice < 18) {
                String operand = "+" + number + "." + i;
                part.merge(bytes(key), bytes(operand));
                made(path).merge(key, operand, String::concat);
            } else if (choice < 19) {
                String to = "k" + random.nextInt(keys);
                part.deleteRange(bytes(key), bytes(to));
                if (key.compareTo(to) < 0) {
                    read(path).subMap(key, to).clear();
                }
            } else if (random.nextInt(4) == 0) {
                String child = random.nextBoolean() ? "a" : "b";
                batch.deleteChild(child);
                collections.keySet().removeIf(name -> name.equals(child) || name.startsWith(child + "/"));
            }
        }
    }

    private static MossBatch part(MossBatch root, String path) {
        MossBatch part = root;
        for (String name : path.split("/")) {
            part = name.isEmpty() ? part : part.child(name);
        }
        return part;
    }

    static MossView view(MossView root, String path) {
        MossView view = root;
        for (String name : path.split("/")) {
            view = name.isEmpty() ? view : view.child(name);
        }
        return view;
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, UTF_8);
    }

    /** Reads everything that a view has. */
    static Model of(MossView root) throws IOException {
        Model model = new Model();
        for (String path : PATHS) {
            MossView view = view(root, path);
            if (view.exists()) {
                model.collections.put(path, content(view, Range.all()));
            }
        }
        return model;
    }

    static TreeMap<String, String> content(MossView view, Range range) throws IOException {
        TreeMap<String, String> content = new TreeMap<>();
        String before = null;
        try (MossIterator iterator = view.iterator(range)) {
            while (iterator.next()) {
                String key = text(iterator.key());
                if (before != null) {
                    int order = before.compareTo(key);
                    assertThat(range.isDescending() ? -order : order)
                            .as("order of " + key)
                            .isNegative();
                }
                before = key;
                content.put(key, text(iterator.value()));
            }
        }
        return content;
    }

    /** Compares everything, by gets and by iterators in both directions. */
    void assertShownBy(MossView root, String where) throws IOException {
        assertThat(of(root)).as(where).isEqualTo(this);
        for (String path : PATHS) {
            MossView view = view(root, path);
            TreeMap<String, String> expected = read(path);
            assertThat(content(view, Range.all().descending(true)))
                    .as(where + ", " + path)
                    .isEqualTo(expected);
            for (Map.Entry<String, String> entry : expected.entrySet()) {
                assertThat(text(view.get(bytes(entry.getKey()))))
                        .as(where + ", " + path + ", " + entry.getKey())
                        .isEqualTo(entry.getValue());
            }
            List<String> children = new ArrayList<>();
            String prefix = path.isEmpty() ? "" : path + "/";
            for (String name : collections.keySet()) {
                if (!name.isEmpty() && name.startsWith(prefix) && name.indexOf('/', prefix.length()) < 0) {
                    children.add(name.substring(prefix.length()));
                }
            }
            assertThat(view.childNames()).as(where + ", children of " + path).isEqualTo(children);
        }
    }

    /** Compares some keys and ranges that the random numbers choose. */
    void assertSamples(Random random, MossView root, int keys, String where) throws IOException {
        for (int i = 0; i < 6; i++) {
            String path = PATHS.get(random.nextInt(PATHS.size()));
            String key = "k" + random.nextInt(keys);
            MossView view = view(root, path);
            assertThat(text(view.get(bytes(key))))
                    .as(where + ", " + path + ", " + key)
                    .isEqualTo(read(path).get(key));
        }
        String from = "k" + random.nextInt(keys);
        String to = "k" + random.nextInt(keys);
        boolean isFrom = random.nextBoolean();
        boolean isTo = random.nextBoolean();
        Range range = Range.all().from(bytes(from), isFrom).to(bytes(to), isTo).descending(random.nextBoolean());
        NavigableMap<String, String> expected =
                from.compareTo(to) <= 0 ? read("").subMap(from, isFrom, to, isTo) : new TreeMap<>();
        assertThat(content(root, range)).as(where + ", " + from + " to " + to).isEqualTo(expected);
        assertSeeks(random, root, keys, where);
    }

    private void assertSeeks(Random random, MossView root, int keys, String where) throws IOException {
        boolean isDescending = random.nextBoolean();
        TreeMap<String, String> content = read("");
        try (MossIterator iterator = root.iterator(Range.all().descending(isDescending))) {
            for (int i = 0; i < 3; i++) {
                String target = "k" + random.nextInt(keys);
                iterator.seek(bytes(target));
                String expected = isDescending ? content.floorKey(target) : content.ceilingKey(target);
                for (int step = 0; step < 3 && expected != null; step++) {
                    assertThat(iterator.next()).as(where + ", seek " + target).isTrue();
                    assertThat(text(iterator.key()))
                            .as(where + ", seek " + target)
                            .isEqualTo(expected);
                    assertThat(UTF_8.decode(iterator.valueView()).toString()).isEqualTo(content.get(expected));
                    expected = isDescending ? content.lowerKey(expected) : content.higherKey(expected);
                }
            }
        }
    }
}
