package dev.caskwright.server.infinispan;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.MulticastSocket;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jgroups.util.SocketFactory;

/**
 * Makes no sockets for JGroups: whoever extends it says which there are. So nothing goes out in plain text where TLS is on, whatever a
 * protocol may ask for: JGroups' own factory makes channels and datagrams without TLS.
 */
abstract class NoSockets implements SocketFactory {
    @Override
    public Socket createSocket(String name) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocket createServerSocket(String name) throws IOException {
        throw notOffered(name);
    }

    @Override
    public Socket createSocket(String name, String host, int port) throws IOException {
        throw notOffered(name);
    }

    @Override
    public Socket createSocket(String name, InetAddress address, int port) throws IOException {
        throw notOffered(name);
    }

    @Override
    public Socket createSocket(String name, String host, int port, InetAddress localAddress, int localPort)
            throws IOException {
        throw notOffered(name);
    }

    @Override
    public Socket createSocket(String name, InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocket createServerSocket(String name, int port) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocket createServerSocket(String name, int port, int backlog) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocket createServerSocket(String name, int port, int backlog, InetAddress address) throws IOException {
        throw notOffered(name);
    }

    @Override
    public DatagramSocket createDatagramSocket(String name) throws SocketException {
        throw notOffered(name);
    }

    @Override
    public DatagramSocket createDatagramSocket(String name, SocketAddress address) throws SocketException {
        throw notOffered(name);
    }

    @Override
    public DatagramSocket createDatagramSocket(String name, int port) throws SocketException {
        throw notOffered(name);
    }

    @Override
    public DatagramSocket createDatagramSocket(String name, int port, InetAddress address) throws SocketException {
        throw notOffered(name);
    }

    @Override
    public MulticastSocket createMulticastSocket(String name) throws IOException {
        throw notOffered(name);
    }

    @Override
    public MulticastSocket createMulticastSocket(String name, int port) throws IOException {
        throw notOffered(name);
    }

    @Override
    public MulticastSocket createMulticastSocket(String name, SocketAddress address) throws IOException {
        throw notOffered(name);
    }

    @Override
    public SocketChannel createSocketChannel(String name) throws IOException {
        throw notOffered(name);
    }

    @Override
    public SocketChannel createSocketChannel(String name, SocketAddress address) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocketChannel createServerSocketChannel(String name) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocketChannel createServerSocketChannel(String name, int port) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocketChannel createServerSocketChannel(String name, int port, int backlog) throws IOException {
        throw notOffered(name);
    }

    @Override
    public ServerSocketChannel createServerSocketChannel(String name, int port, int backlog, InetAddress address)
            throws IOException {
        throw notOffered(name);
    }

    private static SocketException notOffered(String name) {
        return new SocketException("nodes talk over their one port, and over no other socket: name=" + name);
    }

    @Override
    public void close(Socket socket) throws IOException {
        socket.close();
    }

    @Override
    public void close(ServerSocket socket) throws IOException {
        socket.close();
    }

    @Override
    public void close(DatagramSocket socket) {
        socket.close();
    }
}
