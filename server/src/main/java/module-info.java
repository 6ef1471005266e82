/** Serves any store to Redis clients. */
module dev.caskwright.server {
    requires static transitive org.jspecify;
    requires transitive dev.caskwright.api;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires java.management;
    requires jdk.management;
    requires org.slf4j;

    exports dev.caskwright.server;
    exports dev.caskwright.server.cluster;
    exports dev.caskwright.server.config;
    exports dev.caskwright.server.replication;
}
