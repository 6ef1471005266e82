package dev.caskwright.importer.lmdb;

import dev.caskwright.importer.ForeignFormat;
import dev.caskwright.importer.Parts;
import dev.caskwright.importer.ReadOptions;
import dev.caskwright.importer.Receiver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.ByteArrayProxy;
import org.lmdbjava.CursorIterable;
import org.lmdbjava.Dbi;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.LmdbException;
import org.lmdbjava.Txn;

/**
 * An environment of LMDB: its directory, or its file if it was made without one. The part is a named database; the unnamed one is read
 * if there are no others, or if {@code .} is asked for. It is opened without its lock file, so that nothing is written.
 *
 * <p>LMDB maps its file and has no checksums. So that a file that was cut short does not end this process, its length is compared with
 * what its header says before it is mapped.
 */
public final class LmdbFormat implements ForeignFormat {
    private static final String UNNAMED = ".";
    private static final int MOST_DATABASES = 1_024;

    /** How long the entry of a database among the keys of the unnamed one is. */
    private static final int DATABASE_BYTES = 48;

    /** Called by {@link java.util.ServiceLoader}. */
    public LmdbFormat() {}

    @Override
    public String name() {
        return "lmdb";
    }

    @Override
    public String description() {
        return "an environment of LMDB, a directory or a file";
    }

    @Override
    public void read(Path source, ReadOptions options, Receiver receiver) throws IOException {
        boolean isFile = Files.isRegularFile(source);
        Path file = isFile ? source : source.resolve("data.mdb");
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(file.toString(), null, "no environment of LMDB");
        }
        LmdbHeader.check(file);
        List<EnvFlags> flags = new ArrayList<>(List.of(EnvFlags.MDB_RDONLY_ENV, EnvFlags.MDB_NOLOCK));
        if (isFile) {
            flags.add(EnvFlags.MDB_NOSUBDIR);
        }
        try (Env<byte[]> environment = Env.create(ByteArrayProxy.PROXY_BA)
                .setMaxDbs(MOST_DATABASES)
                .open(source.toFile(), flags.toArray(EnvFlags[]::new))) {
            read(environment, file, options, receiver);
        } catch (LmdbException e) {
            throw new IOException("the environment cannot be read: " + e.getMessage() + ": " + source, e);
        }
    }

    private static void read(Env<byte[]> environment, Path file, ReadOptions options, Receiver receiver)
            throws IOException {
        Dbi<byte[]> unnamed = environment.openDbi((byte[]) null);
        Set<String> names = new TreeSet<>();
        long entries = 0;
        try (Txn<byte[]> transaction = environment.txnRead();
                CursorIterable<byte[]> all = unnamed.iterate(transaction)) {
            for (CursorIterable.KeyVal<byte[]> each : all) {
                boolean isDatabase = each.val().length == DATABASE_BYTES && isDatabase(environment, each.key());
                if (isDatabase) {
                    names.add(new String(each.key(), StandardCharsets.UTF_8));
                }
                entries += isDatabase ? 0 : 1;
            }
        }
        Set<String> parts = new TreeSet<>(names);
        if (entries > 0 || names.isEmpty()) {
            parts.add(UNNAMED);
        }
        String part = Parts.choose(options, parts, "database (" + UNNAMED + " is the unnamed one)");
        boolean isUnnamed = part.equals(UNNAMED);
        Dbi<byte[]> chosen = isUnnamed ? unnamed : environment.openDbi(part.getBytes(StandardCharsets.UTF_8));
        tell(environment, chosen, isUnnamed ? names : Set.of(), file, receiver);
    }

    private static boolean isDatabase(Env<byte[]> environment, byte[] name) {
        try {
            environment.openDbi(name).close();
            return true;
        } catch (Dbi.DbFullException e) {
            throw e;
        } catch (LmdbException e) {
            return false; // it is an entry of that length
        }
    }

    private static void tell(
            Env<byte[]> environment, Dbi<byte[]> database, Set<String> databases, Path file, Receiver receiver)
            throws IOException {
        long further = 0;
        byte @Nullable [] last = null;
        try (Txn<byte[]> transaction = environment.txnRead();
                CursorIterable<byte[]> all = database.iterate(transaction)) {
            for (CursorIterable.KeyVal<byte[]> each : all) {
                if (last != null && Arrays.equals(last, each.key())) {
                    further++;
                    continue;
                }
                last = each.key();
                if (!databases.contains(new String(last, StandardCharsets.UTF_8))) {
                    receiver.entry(last.clone(), each.val().clone(), Receiver.NEVER);
                }
            }
        } catch (LmdbException e) {
            receiver.damage(file, Receiver.SOMEWHERE, "the rest is left out, " + e.getMessage());
        }
        if (!databases.isEmpty()) {
            receiver.skipped("named databases", databases.size());
        }
        if (further > 0) {
            receiver.skipped("values beside the first one of their key", further);
        }
    }
}
