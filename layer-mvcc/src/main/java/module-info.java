/** Every key at every revision, over an ordered engine, as etcd keeps them. */
module dev.caskwright.mvcc {
    requires transitive dev.caskwright.api;
    requires transitive dev.caskwright.bolt;

    exports dev.caskwright.mvcc;
    exports dev.caskwright.mvcc.backend;
}
