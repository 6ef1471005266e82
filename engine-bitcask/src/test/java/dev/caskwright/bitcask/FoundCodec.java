package dev.caskwright.bitcask;

import dev.caskwright.testkit.DeflateCodec;

/** A codec that is found by its name, {@code found}, in the tests of this module. */
public final class FoundCodec extends DeflateCodec {
    /** Called by {@link java.util.ServiceLoader}. */
    public FoundCodec() {}

    @Override
    public String name() {
        return "found";
    }

    @Override
    public int id() {
        return 201;
    }
}
