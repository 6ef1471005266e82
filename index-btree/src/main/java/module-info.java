/**
 * An ordered key index, on MapDB.
 *
 * <p>MapDB and most of its libraries are automatic modules, which name nothing that they need: this one does it for them.
 */
@SuppressWarnings("requires-automatic")
module dev.caskwright.index.btree {
    requires transitive dev.caskwright.api;
    requires static org.jspecify;
    requires mapdb;
    requires kotlin.stdlib;
    requires org.eclipse.collections.api;
    requires org.eclipse.collections.impl;
    requires com.google.common;
    requires elsa;
    requires org.lz4.java;

    exports dev.caskwright.index.btree;

    provides dev.caskwright.api.spi.index.KeyIndexProvider with
            dev.caskwright.index.btree.BTreeKeyIndex.Provider;
}
