package dev.caskwright.importer;

import java.util.List;

/** The formats that are read without a library. */
final class OwnFormats {
    static final List<ForeignFormat> ALL = List.of(new RiakBitcask(), new GoBitcask(), new RedisDump(), new LevelDb());

    private OwnFormats() {}
}
