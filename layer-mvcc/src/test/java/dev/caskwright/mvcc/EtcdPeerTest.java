package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.mvcc.backend.BackendOptions;
import dev.caskwright.mvcc.backend.Stores;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A real etcd server and this layer read each other's files, and tell the same of them at every revision. */
final class EtcdPeerTest {
    private static final Pattern HASH = Pattern.compile("\"hash\":(\\d+)");
    private static final Pattern REVISION = Pattern.compile("\"revision\":(\\d+)");

    @TempDir
    Path directory;

    private static String number(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        assertThat(matcher.find()).as(text).isTrue();
        return matcher.group(1);
    }

    /** Returns the entries of an answer of the client, in its words. */
    private static String entries(String answer) {
        int from = answer.indexOf("\"kvs\":");
        return from < 0 ? "" : answer.substring(from, answer.lastIndexOf('}')).strip();
    }

    private static String entries(RangeResult result) {
        if (result.entries().isEmpty()) {
            return "";
        }
        Base64.Encoder base64 = Base64.getEncoder();
        List<String> all = new ArrayList<>();
        for (KeyValue entry : result.entries()) {
            all.add("{\"key\":\"" + base64.encodeToString(entry.key()) + "\",\"create_revision\":"
                    + entry.createRevision() + ",\"mod_revision\":" + entry.modRevision() + ",\"version\":"
                    + entry.version()
                    + (entry.value().length == 0 ? "" : ",\"value\":\"" + base64.encodeToString(entry.value()) + "\"")
                    + (entry.lease() == 0 ? "" : ",\"lease\":" + entry.lease()) + "}");
        }
        return "\"kvs\":[" + String.join(",", all) + "],\"count\":" + result.count();
    }

    /** What a server tells of some of its revisions. */
    private record Told(long revision, Map<Long, String> entries, Map<Long, Long> hashes, List<Long> leases) {}

    private static Told ask(Etcd etcd, long compacted) throws Exception {
        long latest = Long.parseLong(number(REVISION, etcd.ok("get", "none", "-w", "json")));
        Map<Long, String> entries = new TreeMap<>();
        Map<Long, Long> hashes = new TreeMap<>();
        for (long revision = Math.max(1, compacted); revision <= latest; revision += latest - revision > 6 ? 5 : 1) {
            String answer = etcd.ok("get", "", "--from-key", "--rev", Long.toString(revision), "-w", "json");
            entries.put(revision, entries(answer));
            if (revision > compacted) {
                String hash = etcd.ok("endpoint", "hashkv", "--rev", Long.toString(revision), "-w", "json");
                hashes.put(revision, Long.parseLong(number(HASH, hash)));
            }
        }
        List<Long> leases = new ArrayList<>();
        for (String line : etcd.ok("lease", "list").lines().skip(1).toList()) {
            leases.add(Long.parseLong(line.strip(), 16));
        }
        leases.sort(null);
        return new Told(latest, entries, hashes, leases);
    }

    private static void compare(Told told, MvccStore store) throws IOException {
        assertThat(store.revision()).isEqualTo(told.revision);
        for (Map.Entry<Long, String> each : told.entries.entrySet()) {
            RangeRequest request = RangeRequest.of(KeyRange.all()).atRevision(each.getKey());
            assertThat(entries(store.range(request)))
                    .as("revision " + each.getKey())
                    .isEqualTo(each.getValue());
        }
        for (Map.Entry<Long, Long> each : told.hashes.entrySet()) {
            assertThat(Integer.toUnsignedLong(store.hash(each.getKey()).hash()))
                    .as("hash of revision " + each.getKey())
                    .isEqualTo(each.getValue());
        }
        assertThat(store.leases()).isEqualTo(told.leases);
    }

    /** Writes with the client. Returns the revision of the last compaction. */
    private static long write(Etcd etcd, long seed, int steps) throws Exception {
        Random random = new Random(seed);
        List<String> leases = new ArrayList<>(List.of("0"));
        long compacted = -1;
        for (int i = 0; i < steps; i++) {
            String key = "k" + random.nextInt(9);
            switch (random.nextInt(10)) {
                case 0 -> etcd.ok("del", key);
                case 1 -> etcd.ok("del", key, "--prefix");
                case 2 ->
                    etcd.txn("value(\"" + key + "\") = \"x\"\n\ndel " + key + "\n\nput " + key + " x\nput m" + i
                            + " y\ndel k3 --prefix\n\n".replace("k3", "z"));
                case 3 -> leases.add(etcd.ok("lease", "grant", "1000").split(" ")[1]);
                case 4 -> {
                    long latest = Long.parseLong(number(REVISION, etcd.ok("get", "none", "-w", "json")));
                    long to = Math.max(compacted + 1, latest - 5);
                    if (to > 1 && to <= latest) {
                        etcd.ok("compact", Long.toString(to), "--physical");
                        compacted = to;
                    }
                }
                default ->
                    etcd.ok(
                            "put",
                            key,
                            random.nextInt(5) == 0 ? "" : "v" + i,
                            "--lease",
                            leases.get(random.nextInt(leases.size())));
            }
        }
        return compacted;
    }

    @Test
    void aServersFileIsReadAsTheServerTellsIt() throws Exception {
        try (Etcd etcd = new Etcd(directory)) {
            etcd.start();
            long compacted = write(etcd, 1, 40);
            Told told = ask(etcd, compacted);
            assertThat(told.leases).isNotEmpty();
            etcd.stop();
            try (MvccStore store = MvccStore.builder(etcd.file()).readOnly(true).open()) {
                assertThat(store.compactedRevision()).isEqualTo(compacted);
                compare(told, store);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Stores.class)
    void aServerStartsOnASnapshotOfAStoreMadeHereAndTellsTheSame(Stores kind) throws Exception {
        try (Etcd etcd = new Etcd(directory)) {
            Path snapshot = directory.resolve("snapshot.db");
            Model model = new Model();
            ManualClock clock = new ManualClock();
            ManualTimer timer = new ManualTimer();
            RandomLife life = new RandomLife(7, model, clock, timer);
            try (MvccStore store = MvccStore.builder(
                            kind.open(directory, new CrashableIoManager().factory(), MvccStore.buckets()))
                    .commits(new BackendOptions(40, 1 << 20, Duration.ZERO))
                    .compaction(10, Duration.ZERO)
                    .clock(clock)
                    .timer(timer)
                    .open()) {
                for (int i = 0; i < 250; i++) {
                    life.step(store);
                }
                long lease = store.grantLease(0, 1_000).result().id();
                store.put(Put.of("held".getBytes(), "by a lease".getBytes()).withLease(lease));
                try (OutputStream target = Files.newOutputStream(snapshot)) {
                    store.snapshotTo(target);
                }
                etcd.restore(snapshot); // which checks the hash of the whole file
                etcd.start();
                Told told = ask(etcd, store.compactedRevision());
                assertThat(told.leases).contains(lease);
                compare(told, store);
                assertThat(etcd.ok("lease", "timetolive", "--keys", Long.toHexString(lease)))
                        .contains("attached keys([held])");
            }
        }
    }

    @Test
    void aServerAndAStoreContinueEachOthersFile() throws Exception {
        try (Etcd etcd = new Etcd(directory)) {
            etcd.start();
            long compacted = write(etcd, 3, 15);
            for (int round = 0; round < 2; round++) {
                etcd.stop();
                long latest;
                try (MvccStore store = MvccStore.open(etcd.file())) {
                    latest = store.revision();
                    store.put(("ours" + round).getBytes(), "put here".getBytes());
                    store.put("k1".getBytes(), ("round " + round).getBytes());
                    store.delete(DeleteRange.of(KeyRange.prefix("k2".getBytes())));
                    if (latest - 3 > compacted && round == 0) {
                        compacted = latest - 3;
                        store.compact(compacted);
                    }
                }
                etcd.start();
                assertThat(etcd.ok("get", "ours" + round)).isEqualTo("ours" + round + "\nput here\n");
                assertThat(etcd.ok("get", "k1", "--print-value-only")).isEqualTo("round " + round + "\n");
                assertThat(etcd.ok("get", "k2", "--prefix", "--keys-only")).isBlank();
                compacted = Math.max(compacted, write(etcd, 4 + round, 10));
            }
            Told told = ask(etcd, compacted);
            etcd.stop();
            try (MvccStore store = MvccStore.builder(etcd.file()).readOnly(true).open()) {
                compare(told, store);
            }
        }
    }

    @Test
    void aServerOverItsQuotaAndAStoreSeeEachOthersAlarm() throws Exception {
        try (Etcd etcd = new Etcd(directory)) {
            etcd.start();
            etcd.ok("put", "key", "value");
            etcd.stop();
            try (MvccStore store = MvccStore.builder(etcd.file()).quotaBytes(1).open()) {
                try {
                    store.put("more".getBytes(), "value".getBytes());
                    throw new AssertionError("there is no space");
                } catch (MvccException e) {
                    assertThat(e.reason()).isEqualTo(MvccException.Reason.NO_SPACE);
                }
            }
            etcd.start();
            assertThat(etcd.run("put", "more", "value").output()).contains("database space exceeded");
            assertThat(etcd.ok("alarm", "disarm")).contains("NOSPACE");
            etcd.ok("put", "more", "value");
            etcd.stop();
            try (MvccStore store = MvccStore.open(etcd.file())) {
                assertThat(store.stats().hasSpaceAlarm()).isFalse();
                store.put("still".getBytes(), "more".getBytes());
            }
        }
    }
}
