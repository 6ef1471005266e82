package dev.caskwright.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One file that the real bbolt and this engine change in turn; each reads, and checks, what the other one left. */
final class BboltPeerTest {
    private static final HexFormat HEX = HexFormat.of();

    @TempDir
    Path directory;

    private Random random = new Random();
    private int keySpace;
    private int maxValue;

    /** A change in the peer's language; the model and this engine understand it, too. */
    private static void applyToModel(TreeMap<byte[], Object> root, String command) {
        String[] words = command.split(" ");
        String[] names = words[1].split("/");
        TreeMap<byte[], Object> parent = root;
        for (int i = 0; i < names.length - 1; i++) {
            parent = bucketOf(parent, names[i]);
        }
        byte[] last = HEX.parseHex(names[names.length - 1]);
        switch (words[0]) {
            case "create" -> parent.put(last, new TreeMap<byte[], Object>(Arrays::compareUnsigned));
            case "drop" -> parent.remove(last);
            case "put" -> bucketOf(parent, names[names.length - 1]).put(HEX.parseHex(words[2]), value(words[3]));
            case "delete" -> bucketOf(parent, names[names.length - 1]).remove(HEX.parseHex(words[2]));
            default -> throw new IllegalArgumentException(command);
        }
    }

    private static boolean hasKey(TreeMap<byte[], Object> root, String command) {
        String[] words = command.split(" ");
        TreeMap<byte[], Object> bucket = root;
        for (String name : words[1].split("/")) {
            bucket = bucketOf(bucket, name);
        }
        return bucket.containsKey(HEX.parseHex(words[2]));
    }

    @SuppressWarnings("unchecked")
    private static TreeMap<byte[], Object> bucketOf(TreeMap<byte[], Object> parent, String name) {
        return (TreeMap<byte[], Object>) parent.get(HEX.parseHex(name));
    }

    private static byte[] value(String word) {
        return word.equals("-") ? new byte[0] : HEX.parseHex(word);
    }

    private static void applyToEngine(BoltTransaction transaction, String command) throws IOException {
        String[] words = command.split(" ");
        String[] names = words[1].split("/");
        Bucket parent = transaction.root();
        for (int i = 0; i < names.length - 1; i++) {
            parent = parent.bucket(HEX.parseHex(names[i]));
        }
        byte[] last = HEX.parseHex(names[names.length - 1]);
        switch (words[0]) {
            case "create" -> parent.createBucket(last);
            case "drop" -> parent.deleteBucket(last);
            case "put" -> parent.bucket(last).put(HEX.parseHex(words[2]), value(words[3]));
            case "delete" -> parent.bucket(last).delete(HEX.parseHex(words[2]));
            default -> throw new IllegalArgumentException(command);
        }
    }

    private static String dump(BoltDatabase database) throws IOException {
        StringBuilder text = new StringBuilder();
        database.view(transaction -> transaction
                .root()
                .forEachBucket((name, none) -> dump(text, HEX.formatHex(name), transaction.bucket(name))));
        return text.toString();
    }

    private static void dump(StringBuilder text, String path, Bucket bucket) throws IOException {
        text.append("bucket ")
                .append(path)
                .append(' ')
                .append(bucket.sequence())
                .append('\n');
        bucket.forEach((key, value) -> {
            if (value == null) {
                dump(text, path + "/" + HEX.formatHex(key), bucket.bucket(key));
            } else {
                text.append(path)
                        .append(' ')
                        .append(HEX.formatHex(key))
                        .append('=')
                        .append(HEX.formatHex(value));
                text.append('\n');
            }
        });
    }

    @SuppressWarnings("unchecked")
    private static void dump(StringBuilder text, String path, TreeMap<byte[], Object> bucket) {
        text.append("bucket ").append(path).append(" 0\n");
        for (Map.Entry<byte[], Object> entry : bucket.entrySet()) {
            String key = HEX.formatHex(entry.getKey());
            if (entry.getValue() instanceof TreeMap<?, ?> nested) {
                dump(text, path + "/" + key, (TreeMap<byte[], Object>) nested);
            } else {
                text.append(path).append(' ').append(key).append('=').append(HEX.formatHex((byte[]) entry.getValue()));
                text.append('\n');
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static String dump(TreeMap<byte[], Object> root) {
        StringBuilder text = new StringBuilder();
        root.forEach((name, nested) -> dump(text, HEX.formatHex(name), (TreeMap<byte[], Object>) nested));
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void bothReadWhatTheOtherWrote(long seed) throws Exception {
        takeTurns(seed);
    }

    /** For {@code -Dcaskwright.bolt.seeds}. */
    @Test
    @Tag("campaign")
    void bothReadWhatTheOtherWroteForLonger() throws Exception {
        for (long seed : CampaignSeeds.get()) {
            takeTurns(seed);
            Files.delete(directory.resolve("shared.db"));
            System.out.println("bolt beside bbolt: done up to seed=" + seed);
        }
    }

    private void takeTurns(long seed) throws Exception {
        BboltPeer peer = BboltPeer.build();
        random = new Random(seed);
        keySpace = 50 + random.nextInt(3_000);
        maxValue = random.nextInt(3) == 0 ? 9_000 : 300;
        Path file = directory.resolve("shared.db");
        boolean writesFreelist = random.nextInt(4) > 0;
        TreeMap<byte[], Object> model = new TreeMap<>(Arrays::compareUnsigned);
        for (int turn = 0; turn < 16; turn++) {
            String where = "seed " + seed + ", turn " + turn;
            List<String> commands = new ArrayList<>();
            boolean isOurs = turn % 2 == 0;
            if (isOurs) {
                try (BoltDatabase database = BoltDatabase.builder(file)
                        .writesFreelist(writesFreelist)
                        .checksCommits(true)
                        .open()) {
                    for (int commit = 0; commit < 4; commit++) {
                        database.update(transaction -> {
                            for (int step = 0; step < 300; step++) {
                                String command = nextCommand(model);
                                applyToModel(model, command);
                                applyToEngine(transaction, command);
                            }
                        });
                    }
                    if (turn % 6 == 4) {
                        database.compact(30);
                    }
                }
            } else {
                for (int commit = 0; commit < 4; commit++) {
                    for (int step = 0; step < 300; step++) {
                        String command = nextCommand(model);
                        applyToModel(model, command);
                        commands.add(command);
                    }
                    commands.add("commit");
                }
                peer.apply(file, commands);
            }
            peer.assertSound(file, where);
            assertThat(peer.dump(file)).as(where).isEqualTo(dump(model));
            try (BoltDatabase database =
                    BoltDatabase.builder(file).readOnly(true).open()) {
                assertThat(database.check().problems()).as(where).isEmpty();
                assertThat(dump(database)).as(where).isEqualTo(dump(model));
            }
        }
    }

    @Test
    void theOriginalBoltReadsAndChangesWhatWasWrittenHere() throws Exception {
        BboltPeer original = BboltPeer.buildOriginal();
        random = new Random(21);
        keySpace = 500;
        maxValue = 2_000;
        Path file = directory.resolve("old.db");
        TreeMap<byte[], Object> model = new TreeMap<>(Arrays::compareUnsigned);
        for (int turn = 0; turn < 4; turn++) {
            List<String> commands = new ArrayList<>();
            for (int step = 0; step < 500; step++) {
                String command = nextCommand(model);
                // The old Bolt takes a missing key for the next one, which may be a bucket.
                if (!command.startsWith("delete") || hasKey(model, command)) {
                    applyToModel(model, command);
                    commands.add(command);
                }
            }
            if (turn % 2 == 0) {
                try (BoltDatabase database = BoltDatabase.open(file)) {
                    database.update(transaction -> {
                        for (String command : commands) {
                            applyToEngine(transaction, command);
                        }
                    });
                }
            } else {
                commands.add("commit");
                original.apply(file, commands);
            }
            original.assertSound(file, "turn " + turn);
            assertThat(original.dump(file)).isEqualTo(dump(model));
            try (BoltDatabase database = BoltDatabase.open(file)) {
                assertThat(database.check().problems()).isEmpty();
                assertThat(dump(database)).isEqualTo(dump(model));
            }
        }
        Path copy = file.resolveSibling("copy.db");
        new BoltAtRest(file, StandardIoManager::open).backup(copy);
        original.assertSound(copy, "backup");
        assertThat(original.dump(copy)).isEqualTo(dump(model));
    }

    /** Makes a change that the model allows. */
    @SuppressWarnings("unchecked")
    private String nextCommand(TreeMap<byte[], Object> model) {
        TreeMap<byte[], Object> bucket = model;
        StringBuilder path = new StringBuilder();
        while (true) {
            byte[] name = bucket == model ? ("bucket-" + random.nextInt(4)).getBytes() : key();
            Object there = bucket.get(name);
            if (bucket == model && there == null) {
                return "create " + HEX.formatHex(name);
            }
            if (there instanceof TreeMap<?, ?> nested && (bucket == model || random.nextInt(8) > 0)) {
                path.append(path.isEmpty() ? "" : "/").append(HEX.formatHex(name));
                bucket = (TreeMap<byte[], Object>) nested;
                continue;
            }
            String at = path + "/" + HEX.formatHex(name);
            if (there instanceof TreeMap<?, ?>) {
                return "drop " + at;
            }
            if (there == null && random.nextInt(20) == 0) {
                return "create " + at;
            }
            if (random.nextInt(3) == 0) {
                return "delete " + path + " " + HEX.formatHex(name);
            }
            byte[] value = new byte[random.nextInt(maxValue)];
            random.nextBytes(value);
            return "put " + path + " " + HEX.formatHex(name) + " " + (value.length == 0 ? "-" : HEX.formatHex(value));
        }
    }

    private byte[] key() {
        return String.format("%0" + (1 + random.nextInt(3)) + "d", random.nextInt(keySpace))
                .getBytes();
    }
}
