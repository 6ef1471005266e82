package dev.caskwright.it;

import java.nio.file.Files;
import java.nio.file.Path;

/** The sources that the tests run in, whatever the directory that they are started in. */
public final class Checkout {
    private Checkout() {}

    /** Returns the directory of the whole project. */
    public static Path root() {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        return root;
    }
}
