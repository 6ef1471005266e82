package dev.caskwright.server.command;

/** The connection of a client, as commands see it. Safe for any number of threads. */
public interface Link {
    /** Sends bytes that are a reply already after all replies so far. */
    void push(byte[] bytes);

    /** Takes memory for what is kept beyond the command at hand; returns false if all clients together have too much. */
    boolean hold(long bytes);

    /** Gives back memory that was taken. */
    void letGo(long bytes);

    /** Closes the connection, after what is to be sent if {@code gently}. */
    void close(boolean gently);

    /** Returns the client's address, {@code 127.0.0.1:50000}. */
    String remoteAddress();

    /** Returns the server's address that the client connected to. */
    String localAddress();

    /** Returns how many bytes of requests wait to be parsed or completed. */
    long inputBytes();

    /** Returns how many bytes of replies wait for a force or for the client. */
    long outputBytes();

    /** Goes on with requests that waited for the end of a pause. */
    void resume();
}
