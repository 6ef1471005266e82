package dev.caskwright.raft;

import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftClientRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.ReadIndexRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.StatusException;
import org.apache.ratis.thirdparty.io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * Refuses what was meant for another member. Ratis does not look: if the list of a leader had two members at the address of one,
 * that one would count twice, and entries be acknowledged that a minority has.
 */
final class AddressCheck implements ServerInterceptor {
    private final String self;

    AddressCheck(String self) {
        this.self = self;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private boolean isRefused;

            @Override
            public void onMessage(Q message) {
                String meant = addressee(message);
                if (meant == null || meant.equals(self)) {
                    super.onMessage(message);
                } else if (!isRefused) {
                    isRefused = true;
                    call.close(
                            Status.FAILED_PRECONDITION.withDescription("another member listens here: asked for=" + meant
                                    + ", is=" + self + "; a list of members is wrong"),
                            new Metadata());
                }
            }

            @Override
            public void onHalfClose() {
                if (!isRefused) {
                    super.onHalfClose();
                }
            }
        };
    }

    /** Returns for whom a message is; null if it does not say. */
    private static @Nullable String addressee(Object message) {
        if (message instanceof RaftClientRequestProto request) {
            return text(request.getRpcRequest());
        }
        if (message instanceof AppendEntriesRequestProto request) {
            return text(request.getServerRequest());
        }
        if (message instanceof RequestVoteRequestProto request) {
            return text(request.getServerRequest());
        }
        if (message instanceof InstallSnapshotRequestProto request) {
            return text(request.getServerRequest());
        }
        if (message instanceof ReadIndexRequestProto request) {
            return text(request.getServerRequest());
        }
        if (message instanceof StartLeaderElectionRequestProto request) {
            return text(request.getServerRequest());
        }
        return null;
    }

    private static String text(RaftRpcRequestProto request) {
        return request.getReplyId().toStringUtf8();
    }

    /** Returns why a member did not answer, in one line: what gRPC says, and beneath it the network. */
    static String reason(Throwable failure) {
        String status = null;
        Throwable last = failure;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof StatusRuntimeException known) {
                status = known.getStatus().getDescription();
            } else if (cause instanceof StatusException known) {
                status = known.getStatus().getDescription();
            }
            last = cause;
        }
        String beneath = last.getMessage() == null ? last.toString() : last.getMessage();
        String reason = status == null || beneath.contains(status) ? beneath : status + ": " + beneath;
        int line = reason.indexOf('\n');
        return line < 0 ? reason : reason.substring(0, line);
    }
}
