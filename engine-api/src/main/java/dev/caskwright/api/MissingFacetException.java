package dev.caskwright.api;

import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineProvider;
import java.util.ArrayList;
import java.util.List;

/** A facet was required of a store that does not hold it. Nothing was read or changed. */
public final class MissingFacetException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    private final Class<? extends Facet> facet;

    private MissingFacetException(Class<? extends Facet> facet, String message) {
        super(message);
        this.facet = facet;
    }

    /** Returns the error for a facet that {@code holder} does not hold. It lists the known engines that offer it. */
    public static MissingFacetException of(Class<? extends Facet> facet, FacetHolder holder) {
        return new MissingFacetException(
                facet,
                "the store does not hold this facet: facet=" + facet.getSimpleName() + ", " + holder.describe()
                        + ", offered by=" + offers(facet, holder));
    }

    /** Returns the facet that is missing. */
    public Class<? extends Facet> facet() {
        return facet;
    }

    private static String offers(Class<? extends Facet> facet, FacetHolder holder) {
        List<String> offers = new ArrayList<>();
        for (EngineProvider engine : Backends.all(EngineProvider.class, holder.getClass())) {
            engine.offers(facet)
                    .ifPresent(how -> offers.add(how.isEmpty() ? engine.name() : engine.name() + " (" + how + ")"));
        }
        return offers.isEmpty() ? "no engine that was found" : String.join(", ", offers);
    }
}
