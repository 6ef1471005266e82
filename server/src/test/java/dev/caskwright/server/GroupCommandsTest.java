package dev.caskwright.server;

import java.io.IOException;

/** The same of three servers that are one. */
final class GroupCommandsTest extends StringCommandsTest {
    @Override
    TestServer open() throws IOException {
        return TestServer.startGroup();
    }
}
