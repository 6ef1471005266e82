package dev.caskwright.cli;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.VerifyReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * A store that is not open, or, if it turns out that another process has it open, what that process does when it is asked: a
 * backup or a checkpoint. A check of every byte is made of a checkpoint, which shares the bytes of the store's files.
 */
record StoreOrOwner(StoreAtRest store, Path path, Stores stores, Function<Path, StoreAtRest> atRest)
        implements StoreAtRest {
    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        Optional<F> held = store.facet(kind);
        if (kind == Backups.class) {
            return held.map(facet -> kind.cast(new CopiesOrOwner((Backups) facet)));
        }
        if (kind == Integrity.class) {
            return held.map(facet -> kind.cast((Integrity) () -> verify((Integrity) facet)));
        }
        return held;
    }

    @Override
    public String describe() {
        return store.describe();
    }

    private VerifyReport verify(Integrity closed) throws IOException {
        try {
            return closed.verify();
        } catch (EngineLockedException e) {
            // An owner that makes no copies leaves nothing but to end it first, which is what the refusal says.
            Backups owner = stores.owner(path, e).facet(Backups.class).orElseThrow(() -> e);
            try (Scrap scrap = Scrap.beside(path)) {
                owner.checkpoint(scrap.path());
                return atRest.apply(scrap.path()).require(Integrity.class).verify();
            }
        }
    }

    /** Copies that the owner makes if there is one. */
    private final class CopiesOrOwner implements Backups {
        private final Backups closed;

        CopiesOrOwner(Backups closed) {
            this.closed = closed;
        }

        @Override
        public CopyReport backup(Path target) throws IOException {
            try {
                return closed.backup(target);
            } catch (EngineLockedException e) {
                return stores.owner(path, e).require(Backups.class).backup(target);
            }
        }

        @Override
        public CopyReport checkpoint(Path target) throws IOException {
            try {
                return closed.checkpoint(target);
            } catch (EngineLockedException e) {
                return stores.owner(path, e).require(Backups.class).checkpoint(target);
            }
        }
    }
}
