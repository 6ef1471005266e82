package dev.caskwright.server;

/** The same in RESP3. */
final class Resp3CommandsTest extends StringCommandsTest {
    @Override
    int protocol() {
        return 3;
    }
}
