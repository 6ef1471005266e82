package dev.caskwright.owner;

import dev.caskwright.api.EngineStats;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

/**
 * What the owner of a store says of itself and of the store.
 *
 * @param pid the process id of the owner
 * @param startedAtMillis when the owner's socket was opened, in milliseconds since 1970
 * @param nowMillis the owner's clock, in milliseconds since 1970
 * @param heapUsedBytes how much of its heap the process uses, garbage included
 * @param heapMaxBytes how large its heap may become
 * @param engine what the store is, such as {@code engine=bitcask, index=HashKeyIndex}
 * @param failure the first failure after which the store refuses writes; empty if there was none
 * @param retries the background work that failed and is tried again, one text each
 * @param facets the simple names of the facets that the store holds, of those that can be asked for
 * @param durableVersion a version up to which every write is known to survive a power loss
 * @param stats the figures of the store
 */
public record OwnerReport(
        long pid,
        long startedAtMillis,
        long nowMillis,
        long heapUsedBytes,
        long heapMaxBytes,
        String engine,
        String failure,
        List<String> retries,
        List<String> facets,
        long durableVersion,
        EngineStats stats) {

    void writeTo(DataOutputStream out) throws IOException {
        out.writeLong(pid);
        out.writeLong(startedAtMillis);
        out.writeLong(nowMillis);
        out.writeLong(heapUsedBytes);
        out.writeLong(heapMaxBytes);
        Wire.writeText(out, engine);
        Wire.writeText(out, failure);
        Wire.writeTexts(out, retries);
        Wire.writeTexts(out, facets);
        out.writeLong(durableVersion);
        WireStats.write(out, stats);
    }

    static OwnerReport read(DataInputStream in) throws IOException {
        return new OwnerReport(
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                Wire.readText(in),
                Wire.readText(in),
                Wire.readTexts(in),
                Wire.readTexts(in),
                in.readLong(),
                WireStats.read(in));
    }
}
