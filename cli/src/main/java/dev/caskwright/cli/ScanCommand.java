package dev.caskwright.cli;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.MissingFacetException;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints entries, in the order of their keys where the index has one. */
@Command(
        name = "scan",
        description = {
            "Print entries as JSON Lines, as dump does.",
            "Over an ordered index they come in the order of their keys, compared as unsigned bytes. A range or"
                    + " --reverse needs one: without --index, sorted is used for them."
        })
final class ScanCommand implements Callable<Integer> {
    private static final String ORDERED_INDEX = "sorted";

    private final Shell shell;

    @Mixin
    private StoreOptions place = new StoreOptions();

    @Mixin
    private EncodingOption text = new EncodingOption();

    @Option(names = "--from", paramLabel = "KEY", description = "The least key to print.")
    private @Nullable String from;

    @Option(names = "--to", paramLabel = "KEY", description = "The first key not to print.")
    private @Nullable String to;

    @Option(names = "--prefix", paramLabel = "PREFIX", description = "Only keys that start with this.")
    private @Nullable String prefix;

    @Option(names = "--reverse", description = "From the greatest key to the least.")
    private boolean reverse;

    @Option(names = "--limit", paramLabel = "N", description = "At most this many entries.")
    private long limit = Long.MAX_VALUE;

    @Option(names = "--keys-only", description = "Without the values.")
    private boolean keysOnly;

    ScanCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        if (limit < 0) {
            throw new UsageException("--limit must not be negative: " + limit);
        }
        Range range = range();
        boolean needsOrder = reverse || prefix != null || from != null || to != null;
        if (needsOrder) {
            place.backends().preferIndex(ORDERED_INDEX);
        }
        try (StorageEngine store = place.open(shell, Access.READ)) {
            Optional<OrderedView> ordered = store.facet(OrderedView.class);
            if (needsOrder && ordered.isEmpty()) {
                throw new UsageException("a range or --reverse needs an order of keys: "
                        + MissingFacetException.of(OrderedView.class, store).getMessage());
            }
            try (JsonLineWriter writer = new JsonLineWriter(shell.out(), text.encoding())) {
                if (ordered.isPresent()) {
                    scan(ordered.get(), range, writer);
                } else {
                    visit(store, writer);
                }
            }
        }
        return ExitCode.OK;
    }

    private Range range() {
        if (prefix != null && (from != null || to != null)) {
            throw new UsageException("give either --prefix, or --from and --to");
        }
        Range range = Range.all();
        if (prefix != null) {
            range = Range.prefix(text.encoding().argument("the prefix", prefix));
        }
        if (from != null) {
            range = range.from(text.encoding().argument("the key of --from", from), true);
        }
        if (to != null) {
            range = range.to(text.encoding().argument("the key of --to", to), false);
        }
        return range.descending(reverse).limit(limit);
    }

    private void scan(OrderedView view, Range range, JsonLineWriter writer) throws IOException {
        try (Cursor cursor = view.range(range)) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                writer.entry(entry, !keysOnly);
            }
        }
    }

    private void visit(StorageEngine store, JsonLineWriter writer) throws IOException {
        if (limit == 0) {
            return;
        }
        long[] left = {limit};
        store.visit(entry -> {
            writer.entry(entry, !keysOnly);
            return --left[0] > 0;
        });
    }
}
