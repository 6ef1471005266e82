package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.Merging;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.Spaces;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.Versions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * The reviewed list of what each engine must hold. The contract of engines lets an engine hold what it likes, and runs the
 * contracts of that. So an engine that drops a facet would drop its tests without a word, if it were not for this list: a
 * change to it is for a reviewer to see.
 */
final class EngineFacetsTest {
    private static final List<Class<? extends Facet>> ALL = List.of(
            Backups.class,
            ChangeFeed.class,
            ConditionalWrites.class,
            Expiry.class,
            Integrity.class,
            Merging.class,
            OrderedView.class,
            Restoring.class,
            Salvaging.class,
            Spaces.class,
            Transactions.class,
            Versions.class);

    /** Facets by engine, open or at rest, with what must be chosen for them. */
    private static final Map<String, Set<String>> REVIEWED = Map.of(
            "bitcask",
            Set.of(
                    "Backups",
                    "ChangeFeed",
                    "ConditionalWrites",
                    "Expiry",
                    "Integrity",
                    "Merging",
                    "OrderedView (index=btree or sorted)",
                    "Restoring",
                    "Salvaging",
                    "Transactions",
                    "Versions"),
            "moss",
            Set.of("ConditionalWrites", "Integrity", "Merging", "OrderedView", "Transactions", "Versions"));

    @Test
    void everyEngineHoldsWhatItsReviewedListSays() {
        Map<String, Set<String>> found = new TreeMap<>();
        for (EngineProvider engine : Backends.all(EngineProvider.class, EngineFacetsTest.class)) {
            Set<String> held = new TreeSet<>();
            for (Class<? extends Facet> facet : ALL) {
                engine.offers(facet)
                        .ifPresent(how -> held.add(facet.getSimpleName() + (how.isEmpty() ? "" : " (" + how + ")")));
            }
            found.put(engine.name(), held);
        }
        assertThat(found).isEqualTo(new TreeMap<>(REVIEWED));
    }
}
