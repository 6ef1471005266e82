package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    /** Who are you, and what time is it? */
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

    private final RaftGroupId group;
    private final Supplier<Iterable<RaftPeer>> known;
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
        this.timeoutMillis = timeoutMillis;
        client = RaftClient.newBuilder()
                .setRaftGroup(RaftGroup.valueOf(group, known.get()))
                .setProperties(properties)
                .setParameters(parameters)
                .setRetryPolicy(RetryPolicies.noRetry())
                .build();
    }

    /** Asks a member. The future fails if it does not answer, or answers with an error. */
    CompletableFuture<ByteBuffer> ask(String member, byte what, ByteBuffer body) {
        RaftPeerId to = RaftPeerId.valueOf(member);
        for (RaftPeer peer : known.get()) {
            if (peer.getId().equals(to)) {
                client.getClientRpc().addRaftPeers(peer);
            }
        }
        ByteBuffer question =
                ByteBuffer.allocate(1 + body.remaining()).put(what).put(body).flip();
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client.getId())
                .setServerId(to)
                .setGroupId(group)
                .setCallId(CallId.getAndIncrement())
                .setMessage(message(question))
                // At any index: a member that has nothing yet answers, too.
                .setType(RaftClientRequest.staleReadRequestType(-1))
                .setTimeoutMs(timeoutMillis)
                .build();
        return client.getClientRpc()
                .sendRequestAsyncUnordered(request)
                .orTimeout(timeoutMillis, TimeUnit.MILLISECONDS)
                .whenComplete((reply, failure) -> {
                    if (failure != null) {
                        // The connection may be broken for good; the next question opens another one.
                        client.getClientRpc().handleException(to, failure, true);
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
