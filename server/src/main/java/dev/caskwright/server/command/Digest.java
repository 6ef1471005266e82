package dev.caskwright.server.command;

import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import java.io.IOException;
import java.util.HexFormat;

/** Digests of strings: DIGEST shows them, and SET and DELEX compare them. */
final class Digest {
    private static final int DIGITS = 16;

    private Digest() {}

    /** DIGEST key. */
    static void run(Call call) throws IOException {
        byte[] stored = call.stringAt(call.key(1));
        Reply reply = call.reply();
        if (stored == null) {
            reply.nil();
        } else {
            reply.bulk(HexFormat.of().toHexDigits(of(stored)));
        }
    }

    /** Returns the digest of a stored string. */
    static long of(byte[] stored) {
        return Xxh3.hash(stored, 1, stored.length - 1);
    }

    /** Returns the digest that an argument is. */
    static long parse(Request request, int i) {
        boolean isDigest = request.length(i) == DIGITS;
        long digest = 0;
        for (int p = 0; isDigest && p < DIGITS; p++) {
            isDigest = HexFormat.isHexDigit(request.at(i, p));
            digest = digest << 4 | (isDigest ? HexFormat.fromHexDigit(request.at(i, p)) : 0);
        }
        if (!isDigest) {
            throw new CommandException("ERR a digest must be exactly 16 hexadecimal characters");
        }
        return digest;
    }
}
