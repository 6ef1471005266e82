package dev.caskwright.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * One call to the disk fails under a server whose clients pipeline; then the power goes. Every request gets its reply, the server
 * goes on answering, and what it acknowledged, or showed, is there.
 */
final class ServerFaultTest {
    private static final Set<Fault> FAULTS = EnumSet.complementOf(EnumSet.of(Fault.INTERRUPT));
    private static final int KEYS = 3;

    /** What the store must hold: for each key a number between the last that was acknowledged and the last that was sent. */
    private final long[] acknowledged = new long[KEYS];

    private final long[] sent = new long[KEYS];
    private int met;

    private void life(long call, Fault fault, boolean goesOn, long seed) throws IOException {
        String context = "seed=" + seed + ", call=" + call + ", fault=" + fault + ", goesOn=" + goesOn;
        Arrays.fill(acknowledged, 0);
        Arrays.fill(sent, 0);
        CrashableIoManager disk = new CrashableIoManager();
        FaultPlan plan = FaultPlan.failing(call).with(fault);
        if (goesOn) {
            plan = plan.fromThenOn();
        }
        Random random = new Random(seed);
        try (TestServer server = TestServer.start(disk, disk.factory(), false, "appendfsync", "always")) {
            // Opened without faults: those of opening are the store's own, and tested there.
            assertThat(server.server.port()).isPositive();
        }
        FaultPlan armed = plan;
        TestServer server;
        try {
            server = TestServer.start(
                    disk,
                    (path, create) -> armed.wrap(disk.factory().open(path, create)),
                    false,
                    "appendfsync",
                    "always");
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            assertThat(armed.hasFired()).as(context).isTrue();
            return;
        }
        try {
            for (int round = 0; round < 6; round++) {
                try (RespClient client = server.client()) {
                    exchange(client, random, context);
                }
            }
            try (RespClient client = server.client()) {
                assertThat(client.call("PING")).as(context).isEqualTo("PONG");
            }
        } finally {
            armed.stop();
            try {
                server.close();
            } catch (IOException e) {
                assertThat(armed.hasFired()).as(context + ": " + e).isTrue();
            }
        }
        met += armed.hasFired() ? 1 : 0;
        judge(disk.powerLoss(seed), context);
    }

    private void exchange(RespClient client, Random random, String context) throws IOException {
        ByteArrayOutputStream pipeline = new ByteArrayOutputStream();
        List<Integer> keys = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int key = random.nextInt(KEYS);
            boolean isRead = random.nextInt(3) == 0;
            pipeline.writeBytes(
                    isRead
                            ? RespClient.encode("GET", "k" + key)
                            : RespClient.encode("SET", "k" + key, "" + ++sent[key]));
            keys.add(isRead ? -1 - key : key);
        }
        client.sendRaw(pipeline.toByteArray());
        long[] next = new long[KEYS];
        for (int key = 0; key < KEYS; key++) {
            int key0 = key;
            next[key] = sent[key] - keys.stream().filter(each -> each == key0).count();
        }
        for (int each : keys) {
            Object reply = client.read();
            if (each >= 0) {
                next[each]++;
                if ("OK".equals(reply)) {
                    acknowledged[each] = next[each];
                } else {
                    assertThat(reply).as(context).isInstanceOf(RespClient.Failure.class);
                    if (((RespClient.Failure) reply).message().startsWith("OOM")) {
                        return; // the last reply: then the connection is closed
                    }
                }
            } else if (reply instanceof String shown) {
                acknowledged[-1 - each] = Math.max(acknowledged[-1 - each], Long.parseLong(shown));
            }
        }
    }

    private void judge(CrashableIoManager disk, String context) throws IOException {
        try (TestServer after = TestServer.start(disk, disk.factory(), false);
                RespClient client = after.client()) {
            for (int key = 0; key < KEYS; key++) {
                String value = (String) client.call("GET", "k" + key);
                assertThat(value == null ? 0 : Long.parseLong(value))
                        .as(context + ", key=" + key)
                        .isBetween(acknowledged[key], sent[key]);
            }
        }
    }

    @Test
    void aCallToTheDiskThatFailsLosesNothingThatWasAcknowledged() throws IOException {
        long seed = System.nanoTime();
        for (Fault fault : List.of(Fault.IO_ERROR, Fault.OUT_OF_SPACE, Fault.ERROR_AFTER_EFFECT)) {
            for (int call = 0; call < 40; call += 3) {
                life(call, fault, call % 2 == 1, seed + call);
            }
        }
    }

    @Test
    @Tag("campaign")
    void everyCallToTheDiskThatFailsLosesNothingThatWasAcknowledged() throws IOException {
        long first = Long.getLong("caskwright.fault.firstSeed", 1_000);
        int seeds = Integer.getInteger("caskwright.fault.seeds", 3);
        for (long seed = first; seed < first + seeds; seed++) {
            for (Fault fault : FAULTS) {
                for (int call = 0; call < 80; call++) {
                    life(call, fault, call % 2 == seed % 2, seed);
                }
            }
            System.out.println("seed " + seed + ": " + met + " faults met so far");
        }
    }
}
