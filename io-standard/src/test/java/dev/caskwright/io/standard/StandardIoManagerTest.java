package dev.caskwright.io.standard;

import dev.caskwright.testkit.FileSystemIoManagerContract;

final class StandardIoManagerTest extends FileSystemIoManagerContract {
    @Override
    protected String providerName() {
        return "standard";
    }
}
