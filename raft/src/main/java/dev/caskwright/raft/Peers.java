package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Questions to other members, over Raft's own port: they travel as what Ratis calls stale reads, which the asked member's state
 * machine answers without looking at its log. So there is one port, and one set of certificates. Nothing is asked twice.
 *
 * <pre>
 * question   | what (1) | body ...
 * answer     | 0 | body ...     or     | 1 | message of the error, UTF-8
 * </pre>
 */
final class Peers implements AutoCloseable {
    /** Who are you, what time is it, and how far are you? Both ways, a {@link Hello}. */
    static final byte HELLO = 0;

    /** Append these commands as the leader, and say what became of each. */
    static final byte FORWARD = 1;

    /** Make a checkpoint of the store, and list its files. */
    static final byte CHECKPOINT = 2;

    /** Read a part of a file of a checkpoint. */
    static final byte CHUNK = 3;

    /** The checkpoint is not needed any more. */
    static final byte RELEASE = 4;

    /** The member that was asked said that it did nothing. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        RefusedException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

    private final RaftGroupId group;
    private final Supplier<Iterable<RaftPeer>> known;
    private final RaftProperties properties;
    private final Parameters parameters;
    private final RaftClient client;
    private final long timeoutMillis;

    /** @param known the members that can be asked, at present */
    Peers(
            RaftGroupId group,
            Supplier<Iterable<RaftPeer>> known,
            RaftProperties properties,
            Parameters parameters,
            long timeoutMillis) {
        this.group = group;
        this.known = known;
        this.properties = properties;
        this.parameters = parameters;
        this.timeoutMillis = timeoutMillis;
        client = newClient(known.get());
    }

    private RaftClient newClient(Iterable<RaftPeer> peers) {
        return RaftClient.newBuilder()
                .setRaftGroup(RaftGroup.valueOf(group, peers))
                .setProperties(properties)
                .setParameters(parameters)
                .setRetryPolicy(RetryPolicies.noRetry())
                .build();
    }

    /**
     * Asks one that is no member yet, over a connection of its own: Ratis remembers the address that a name first had, which may be
     * mistyped.
     *
     * @param closing where the connection is closed
     */
    CompletableFuture<ByteBuffer> askOnce(RaftPeer peer, byte what, ByteBuffer body, Executor closing) {
        RaftClient own = newClient(List.of(peer));
        return ask(own, peer, what, body)
                .whenCompleteAsync(
                        (answer, failure) -> {
                            try {
                                own.close();
                            } catch (IOException e) {
                                LOG.info("a connection could not be closed: member={}, {}", peer, e.toString());
                            }
                        },
                        closing);
    }

    /** Asks a member that is known. The future fails if it does not answer, or answers with an error. */
    CompletableFuture<ByteBuffer> ask(String member, byte what, ByteBuffer body) {
        for (RaftPeer peer : known.get()) {
            if (peer.getId().toString().equals(member)) {
                return ask(peer, what, body);
            }
        }
        return CompletableFuture.failedFuture(new IOException("there is no member of this name: " + member));
    }

    /** Asks a member. The future fails if it does not answer, or answers with an error. */
    CompletableFuture<ByteBuffer> ask(RaftPeer peer, byte what, ByteBuffer body) {
        client.getClientRpc().addRaftPeers(peer);
        return ask(client, peer, what, body);
    }

    private CompletableFuture<ByteBuffer> ask(RaftClient asking, RaftPeer peer, byte what, ByteBuffer body) {
        RaftPeerId to = peer.getId();
        ByteBuffer question =
                ByteBuffer.allocate(1 + body.remaining()).put(what).put(body).flip();
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(asking.getId())
                .setServerId(to)
                .setGroupId(group)
                .setCallId(CallId.getAndIncrement())
                .setMessage(message(question))
                // At any index: a member that has nothing yet answers, too.
                .setType(RaftClientRequest.staleReadRequestType(-1))
                .setTimeoutMs(timeoutMillis)
                .build();
        return asking.getClientRpc()
                .sendRequestAsyncUnordered(request)
                .orTimeout(timeoutMillis, TimeUnit.MILLISECONDS)
                .whenComplete((reply, failure) -> {
                    if (failure != null) {
                        // The connection may be broken for good; the next question opens another one.
                        asking.getClientRpc().handleException(to, failure, true);
                    }
                })
                .thenApply(Peers::answer);
    }

    private static ByteBuffer answer(RaftClientReply reply) {
        if (!reply.isSuccess()) {
            throw new CompletionException(new RefusedException(
                    "the member refused the question: " + reply.getException(), reply.getException()));
        }
        ByteBuffer bytes = reply.getMessage().getContent().asReadOnlyByteBuffer();
        if (bytes.hasRemaining() && bytes.get() == 0) {
            return bytes;
        }
        throw new CompletionException(
                new RefusedException("the member could not answer: " + UTF_8.decode(bytes), null));
    }

    /** Returns the message of an answer. */
    static Message answerOf(ByteBuffer body) {
        return message(ByteBuffer.allocate(1 + body.remaining())
                .put((byte) 0)
                .put(body)
                .flip());
    }

    /** Returns the message of an error. */
    static Message answerOf(Throwable error) {
        byte[] text = String.valueOf(error.getMessage() == null ? error : error.getMessage())
                .getBytes(UTF_8);
        return message(
                ByteBuffer.allocate(1 + text.length).put((byte) 1).put(text).flip());
    }

    private static Message message(ByteBuffer bytes) {
        ByteString content = UnsafeByteOperations.unsafeWrap(bytes);
        return Message.valueOf(content);
    }

    /** Returns the peer of a member. */
    static RaftPeer peer(RaftMember member) {
        return RaftPeer.newBuilder()
                .setId(member.id())
                .setAddress(member.address())
                .setStartupRole(RaftPeerRole.FOLLOWER)
                .build();
    }

    /** Returns the member of a peer. */
    static RaftMember member(RaftPeer peer) {
        return RaftMember.parse(peer.getId() + "@" + peer.getAddress());
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
