package dev.caskwright.raft;

import java.io.File;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.rpc.SupportedRpcType;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;
import org.jspecify.annotations.Nullable;

/** Every setting of Ratis that is not its default, with why. */
final class RatisSettings {
    private static final int ENTRY_OVERHEAD = 64 << 10;
    private static final long GREATEST_SEGMENT_BYTES = 8L << 20;
    private static final long PREALLOCATED_BYTES = 4L << 20;
    private static final long LEAST_SEGMENT_BYTES = 64 << 10;

    private RatisSettings() {}

    static RaftProperties properties(RaftNodeBuilder options, RaftMember self) {
        RaftProperties properties = new RaftProperties();
        RaftConfigKeys.Rpc.setType(properties, SupportedRpcType.GRPC);
        // The default lies in /tmp. Where logs lie is set by RaftHost.
        File removed =
                new NodeFiles(options.directory, options.steps).removedGroups().toFile();
        RaftServerConfigKeys.setRemovedGroupsDir(properties, removed);
        // The default listens on every interface.
        GrpcConfigKeys.Server.setHost(properties, self.host());
        GrpcConfigKeys.Server.setPort(properties, self.port());
        times(options, properties);
        reads(properties);
        log(options, properties);
        return properties;
    }

    private static void times(RaftNodeBuilder options, RaftProperties properties) {
        long least = options.electionTimeout.toMillis();
        RaftServerConfigKeys.Rpc.setTimeoutMin(properties, TimeDuration.valueOf(least, TimeUnit.MILLISECONDS));
        RaftServerConfigKeys.Rpc.setTimeoutMax(properties, TimeDuration.valueOf(2 * least, TimeUnit.MILLISECONDS));
        TimeDuration request = TimeDuration.valueOf(options.requestTimeout.toMillis(), TimeUnit.MILLISECONDS);
        RaftServerConfigKeys.Rpc.setRequestTimeout(properties, request);
        RaftServerConfigKeys.Read.setTimeout(properties, request);
        // Nothing is tried again, and replies do not go through Ratis, so remembering them is for nothing.
        RaftServerConfigKeys.RetryCache.setExpiryTime(properties, TimeDuration.valueOf(1, TimeUnit.SECONDS));
    }

    private static void reads(RaftProperties properties) {
        // The default asks the local leader without a check, and is stale while a leader does not know that it was
        // replaced.
        RaftServerConfigKeys.Read.setOption(properties, RaftServerConfigKeys.Read.Option.LINEARIZABLE);
        RaftServerConfigKeys.Read.setLeaderLeaseEnabled(properties, true);
    }

    private static void log(RaftNodeBuilder options, RaftProperties properties) {
        long entry = Math.max(WriteQueue.MOST_BYTES, options.maxCommandBytes) + (long) ENTRY_OVERHEAD;
        SizeInBytes most = SizeInBytes.valueOf(Math.max(4L << 20, entry));
        // More than the queue has under way: beyond it, Ratis refuses instead of waiting. By default it is 64 MiB.
        RaftServerConfigKeys.Write.setByteLimit(
                properties, SizeInBytes.valueOf(WriteQueue.MOST_BYTES_IN_FLIGHT + most.getSize()));
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, most);
        RaftServerConfigKeys.Log.setWriteBufferSize(properties, SizeInBytes.valueOf(most.getSize() + Long.BYTES));
        // Whole segments are given back, so a small bound needs small ones. An entry may be longer than a segment.
        SizeInBytes segment = SizeInBytes.valueOf(
                Math.min(GREATEST_SEGMENT_BYTES, Math.max(LEAST_SEGMENT_BYTES, options.snapshotEveryBytes / 8)));
        RaftServerConfigKeys.Log.setSegmentSizeMax(properties, segment);
        RaftServerConfigKeys.Log.setPreallocatedSize(
                properties, SizeInBytes.valueOf(Math.min(PREALLOCATED_BYTES, segment.getSize())));
        GrpcConfigKeys.setMessageSizeMax(properties, SizeInBytes.valueOf(64L << 20));
        // The node asks for snapshots by bytes; a member that is dead does not keep the log.
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, false);
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
        RaftServerConfigKeys.Log.setPurgeGap(properties, 1);
        // Ratis would follow each entry with another one, which says that it is agreed on and costs as much. It is for
        // members that
        // start without a majority, to know more of what is; here they wait for one, and the store tells what it has.
        RaftServerConfigKeys.Log.setLogMetadataEnabled(properties, false);
        // Ratis would copy files without a force, and swap directories while the log is purged. See SnapshotFetch.
        RaftServerConfigKeys.Log.Appender.setInstallSnapshotEnabled(properties, false);
    }

    static Parameters parameters(@Nullable RaftTls tls, String self) {
        Parameters parameters = new Parameters();
        GrpcConfigKeys.Server.setServicesCustomizer(
                parameters, (builder, types) -> builder.intercept(new AddressCheck(self)));
        if (tls != null) {
            GrpcTlsConfig both = new GrpcTlsConfig(
                    tls.key().toFile(),
                    tls.certificate().toFile(),
                    tls.trusted().toFile(),
                    true);
            GrpcConfigKeys.TLS.setConf(parameters, both);
        }
        return parameters;
    }
}
