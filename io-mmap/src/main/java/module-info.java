/** The IO manager that maps files into memory. */
module dev.caskwright.io.mmap {
    requires transitive dev.caskwright.api;
    requires transitive dev.caskwright.io.standard;
    requires jdk.unsupported; // Unsafe.invokeCleaner, the way to unmap before JDK 22
    requires static org.jspecify;

    exports dev.caskwright.io.mmap;

    provides dev.caskwright.api.spi.io.IoManagerProvider with
            dev.caskwright.io.mmap.MmapIoManagerProvider;
}
