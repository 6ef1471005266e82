package dev.caskwright.examples.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TimeSeriesTest {
    @TempDir
    private Path directory;

    private static Point point(long second) {
        return new Point(Instant.ofEpochSecond(second), second / 2.0);
    }

    private static List<Point> points(long from, long to) {
        List<Point> points = new ArrayList<>();
        for (long second = from; second < to; second++) {
            points.add(point(second));
        }
        return points;
    }

    @Test
    void pointsComeInTheOrderOfTimeAndOldOnesGo() throws IOException {
        try (StorageEngine store =
                BitcaskEngine.builder(directory).index(BTreeKeyIndex::new).open()) {
            TimeSeries series = new TimeSeries(store);
            series.add("cellar", points(0, 2_500));
            series.add("cellar", points(-2_500, 0)); // late, and before 1970
            series.add("cellar 2", points(0, 10)); // begins with the other's name

            assertEquals(points(-3, 4), series.between("cellar", Instant.ofEpochSecond(-3), Instant.ofEpochSecond(4)));
            assertEquals(Optional.of(point(2_499)), series.latest("cellar"));
            assertEquals(Optional.empty(), series.latest("attic"));

            assertEquals(4_990, series.removeBefore("cellar", Instant.ofEpochSecond(2_490)));
            assertEquals(points(2_490, 2_500), series.between("cellar", Instant.EPOCH, Instant.ofEpochSecond(5_000)));
            assertEquals(20, store.size());
        }
    }

    @Test
    void aStoreWithoutOrderIsRefused() throws IOException {
        try (StorageEngine store = BitcaskEngine.open(directory)) {
            TimeSeries series = new TimeSeries(store);
            assertThrows(MissingFacetException.class, () -> series.latest("cellar"));
        }
    }
}
