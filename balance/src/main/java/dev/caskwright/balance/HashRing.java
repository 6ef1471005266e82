package dev.caskwright.balance;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.LongStream;

/** Points of endpoints on a ring of 64-bit numbers, in order. (Karger and others: Consistent hashing and random trees.) */
final class HashRing {
    private static final int MAX_POINTS = 1 << 20; // of the whole ring: weights beyond are scaled down

    private final long[] points;
    private final Endpoint[] owners;

    private record Point(long place, Endpoint owner) {}

    HashRing(ServiceList list, int pointsEach) {
        double scale = scale(list, pointsEach);
        Point[] all = list.endpoints().stream()
                .flatMap(endpoint -> {
                    long hash = Hashes.of(endpoint.id());
                    long count = Math.max(1, Math.round(endpoint.weight() * scale));
                    return LongStream.range(0, count).mapToObj(number -> new Point(Hashes.of(hash, number), endpoint));
                })
                .sorted(Comparator.comparingLong(Point::place).thenComparing(point -> point.owner.id()))
                .toArray(Point[]::new);
        points = new long[all.length];
        owners = new Endpoint[all.length];
        for (int i = 0; i < all.length; i++) {
            points[i] = all[i].place;
            owners[i] = all[i].owner;
        }
    }

    /** Returns the points for each unit of weight: so many for the least weight, unless that makes the ring too large. */
    private static double scale(ServiceList list, int pointsEach) {
        int least = Integer.MAX_VALUE;
        for (Endpoint endpoint : list.endpoints()) {
            least = Math.min(least, endpoint.weight());
        }
        double each = (double) pointsEach / least;
        return Math.min(each, MAX_POINTS / (double) list.totalWeight());
    }

    int size() {
        return points.length;
    }

    /** Returns the first point at or after a hash, going round. */
    int indexOf(long hash) {
        int found = Arrays.binarySearch(points, hash);
        int index = found >= 0 ? found : -found - 1;
        return index == points.length ? 0 : index;
    }

    Endpoint owner(int index) {
        return owners[index];
    }

    Endpoint at(long hash) {
        return owners[indexOf(hash)];
    }
}
