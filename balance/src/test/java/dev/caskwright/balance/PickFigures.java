package dev.caskwright.balance;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * Prints how many endpoints of ten one thread picks in a second of processor time, in millions, for each strategy: the median of
 * some rounds. Part of {@code benchmarks/beside-redis.sh}.
 */
public final class PickFigures {
    private static final int ENDPOINTS = 10;
    private static final int ROUNDS = 5;
    private static final int PICKS_AT_ONCE = 10_000;
    private static final long ROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
    private static final double NANOS_PER_MICRO = 1_000;

    private static volatile int sink;

    private PickFigures() {}

    public static void main(String[] arguments) {
        ToLongFunction<Long> hash = Long::longValue;
        Map<String, Strategy<Long>> strategies = new LinkedHashMap<>();
        strategies.put("random", Strategies.random());
        strategies.put("round-robin", Strategies.roundRobin());
        strategies.put("smooth weighted round-robin", Strategies.smoothWeightedRoundRobin());
        strategies.put("least active", Strategies.leastActive());
        strategies.put("ring", Strategies.ringHash(hash));
        strategies.put("rendezvous", Strategies.rendezvous(hash));
        strategies.put("maglev", Strategies.maglev(hash));
        strategies.put("jump", Strategies.jump(hash));
        ServiceList list = ServiceList.of(IntStream.range(0, ENDPOINTS)
                .mapToObj(i -> Endpoint.of("host" + i, 1_000 + i))
                .toArray(Endpoint[]::new));
        strategies.forEach((name, strategy) -> {
            LoadBalancer<Long> balancer = new LoadBalancer<>(strategy);
            balancer.update(list);
            Long[] keys = keys();
            double[] rates = new double[ROUNDS];
            for (int round = -1; round < ROUNDS; round++) {
                double rate = rate(balancer, keys);
                if (round >= 0) {
                    rates[round] = rate;
                }
            }
            Arrays.sort(rates);
            System.out.println(name + "|" + Math.round(rates[ROUNDS / 2]));
        });
    }

    private static Long[] keys() {
        Random random = new Random(1);
        Long[] keys = new Long[PICKS_AT_ONCE];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = random.nextLong();
        }
        return keys;
    }

    private static double rate(LoadBalancer<Long> balancer, Long[] keys) {
        long picks = 0;
        int sum = 0;
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        long nanos;
        do {
            for (Long key : keys) {
                sum += balancer.choose(key).port();
            }
            picks += keys.length;
            nanos = threads.getCurrentThreadCpuTime() - start;
        } while (nanos < ROUND_NANOS);
        sink = sum;
        return picks * NANOS_PER_MICRO / nanos;
    }
}
