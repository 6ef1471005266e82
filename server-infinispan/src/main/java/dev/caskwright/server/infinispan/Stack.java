package dev.caskwright.server.infinispan;

import java.util.StringJoiner;

/** How nodes talk to each other: JGroups over TCP, with those that the node is told of. Nothing is sent to a group address. */
final class Stack {
    private static final String FORMAT = """
            <config xmlns="urn:org:jgroups">
              <TCP bind_addr="%s" bind_port="%d" port_range="0" diag.enabled="false" linger="-1" tcp_nodelay="true"
                   thread_naming_pattern="pl" thread_pool.min_threads="0" thread_pool.max_threads="200"
                   thread_pool.keep_alive_time="1m" use_vthreads="false" enable_suspect_events="true"
                   sock_conn_timeout="1s" non_blocking_sends="false"/>
              <RED/>
              <TCPPING initial_hosts="%s" port_range="0" send_cache_on_join="true" num_discovery_runs="3"/>
              <MERGE3 min_interval="1s" max_interval="5s"/>
              <FD_ALL3 timeout="10s" interval="2s"/>
              <VERIFY_SUSPECT2 timeout="1s"/>
              <pbcast.NAKACK2 use_mcast_xmit="false" xmit_interval="200ms" xmit_table_num_rows="50"
                   xmit_table_msgs_per_row="1024" xmit_table_max_compaction_time="30s" resend_last_seqno="true"/>
              <UNICAST3 conn_close_timeout="5s" xmit_interval="200ms" xmit_table_num_rows="50"
                   xmit_table_msgs_per_row="1024" xmit_table_max_compaction_time="30s"/>
              <pbcast.STABLE desired_avg_gossip="5s" max_bytes="1M"/>
              <pbcast.GMS print_local_addr="false" join_timeout="%d"/>
              <UFC max_credits="4m" min_threshold="0.40"/>
              <MFC max_credits="4m" min_threshold="0.40"/>
              <FRAG4 frag_size="60k"/>
            </config>
            """;

    /** For so long others are looked for, if there may be some. */
    private static final int JOIN_MILLIS = 1_000;

    private Stack() {}

    /** Returns the configuration of JGroups. */
    static String of(NodeOptions options) {
        StringJoiner hosts = new StringJoiner(",");
        options.peers().forEach(peer -> hosts.add(peer.host() + "[" + peer.port() + "]"));
        int joinMillis = options.peers().size() == 1 ? 1 : JOIN_MILLIS;
        return FORMAT.formatted(options.self().host(), options.self().port(), hosts, joinMillis);
    }
}
