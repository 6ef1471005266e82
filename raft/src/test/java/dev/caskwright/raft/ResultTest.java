package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Replies on their way from the leader to the member that forwarded the commands. */
final class ResultTest {
    @Test
    void whatIsTooLongToBeSentIsToldAsUnknownAndTheRestIsSent() throws Exception {
        List<Result> results = List.of(
                Result.done(new byte[10]),
                Result.done(new byte[1_000]),
                Result.commandFailed("no"),
                Result.done("last".getBytes(UTF_8)));
        byte[] encoded = Result.encode(results, 500);
        List<Result> decoded = Result.decode(ByteBuffer.wrap(encoded));
        assertThat(decoded)
                .extracting(Result::status)
                .containsExactly(
                        Result.Status.DONE, Result.Status.UNKNOWN, Result.Status.COMMAND_FAILED, Result.Status.DONE);
        assertThat(new String(decoded.get(1).bytes(), UTF_8)).contains("too long to be sent");
        assertThat(decoded.get(3).bytes()).isEqualTo("last".getBytes(UTF_8));
    }

    @Test
    void whatFitsIsSent() throws Exception {
        List<Result> results = Collections.nCopies(3, Result.done(new byte[1_000]));
        assertThat(Result.decode(ByteBuffer.wrap(Result.encode(results, 1 << 20))))
                .extracting(result -> result.bytes().length)
                .containsExactly(1_000, 1_000, 1_000);
    }
}
