package dev.caskwright.server.command;

import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]: the longest common subsequence of two strings.
 *
 * <p>The lengths of the longest subsequences of all pairs of beginnings make a table. Of it only one row is kept, and for each
 * place a bit that says which way the subsequence goes: an eighth of a byte where Redis takes four. The limit is that of Redis all
 * the same, since the time grows with the table as well.
 */
final class LcsCommand {
    /** What a place of the table takes in Redis, which {@code proto-max-bulk-len} limits. */
    private static final int BYTES_OF_PLACE = 4;

    /** More places than take a millisecond or two are a worker's. */
    private static final long MANY_PLACES = 1 << 20;

    private static final int FIRST_RANGES = 48;
    private static final byte[] NOTHING = {0};

    private final byte[] first;
    private final byte[] second;
    private boolean isOnlyLength;
    private boolean showsRanges;
    private boolean showsLengths;
    private long leastLength;

    private int length;
    private long[] isUp = {};

    /** Where each range begins in the first string and in the second, and how long it is; from the last one to the first. */
    private int[] ranges = new int[FIRST_RANGES];

    private int rangesEnd;

    private LcsCommand(byte @Nullable [] first, byte @Nullable [] second) {
        this.first = first == null ? NOTHING : first;
        this.second = second == null ? NOTHING : second;
    }

    static void run(Call call) throws IOException {
        LcsCommand lcs = new LcsCommand(call.stringAt(call.key(1)), call.stringAt(call.key(2)));
        lcs.parse(call);
        long places = (long) lcs.first.length * lcs.second.length;
        if (places > call.host().config().maxArgumentBytes() / BYTES_OF_PLACE) {
            throw new CommandException("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
        }
        if (places > MANY_PLACES) {
            call.defer(reply -> lcs.answer(call, reply));
        } else {
            lcs.answer(call, call.reply());
        }
    }

    private void parse(Call call) {
        Request request = call.request();
        for (int i = 3; i < call.count(); i++) {
            if (request.is(i, "LEN")) {
                isOnlyLength = true;
            } else if (request.is(i, "IDX")) {
                showsRanges = true;
            } else if (request.is(i, "WITHMATCHLEN")) {
                showsLengths = true;
            } else if (request.is(i, "MINMATCHLEN") && i + 1 < call.count()) {
                leastLength = call.integer(++i);
            } else {
                throw CommandException.syntax();
            }
        }
        if (isOnlyLength && showsRanges) {
            throw new CommandException("ERR If you want both the length and indexes, please just use IDX.");
        }
    }

    private void answer(Call call, Reply reply) {
        long places = (long) first.length * second.length;
        long bytes = (long) Integer.BYTES * second.length + (isOnlyLength ? 0 : places / Byte.SIZE);
        Link link = call.session().link();
        if (!link.hold(bytes)) {
            throw CommandException.noMemory();
        }
        try {
            fill();
            if (isOnlyLength) {
                reply.integer(length);
            } else if (showsRanges) {
                findRanges();
                writeRanges(reply);
            } else {
                reply.bulk(subsequence());
            }
        } finally {
            link.letGo(bytes);
        }
    }

    /** Finds the length, and the way to go from each place. The byte before a stored string stands for its empty beginning. */
    private void fill() {
        int columns = second.length;
        int[] row = new int[columns];
        long[] ups = isOnlyLength ? isUp : new long[(int) (((long) first.length * columns) / Long.SIZE + 1)];
        for (int i = 1; i < first.length; i++) {
            byte wanted = first[i];
            int before = 0; // of the row before, one column to the left
            int left = 0;
            for (int j = 1; j < columns; j++) {
                int above = row[j];
                if (second[j] == wanted) {
                    left = before + 1;
                } else if (above > left) {
                    left = above;
                    if (!isOnlyLength) {
                        long place = (long) i * columns + j;
                        ups[(int) (place >>> 6)] |= 1L << place;
                    }
                }
                before = above;
                row[j] = left;
            }
        }
        isUp = ups;
        length = row[columns - 1];
    }

    private boolean isUp(int i, int j) {
        long place = (long) i * second.length + j;
        return (isUp[(int) (place >>> 6)] >>> place & 1) != 0;
    }

    private byte[] subsequence() {
        byte[] found = new byte[length];
        int end = length;
        int i = first.length - 1;
        int j = second.length - 1;
        while (i > 0 && j > 0) {
            if (first[i] == second[j]) {
                found[--end] = first[i];
                i--;
                j--;
            } else if (isUp(i, j)) {
                i--;
            } else {
                j--;
            }
        }
        return found;
    }

    private void findRanges() {
        int i = first.length - 1;
        int j = second.length - 1;
        while (i > 0 && j > 0) {
            int matching = 0;
            while (i > 0 && j > 0 && first[i] == second[j]) {
                matching++;
                i--;
                j--;
            }
            if (matching > 0 && matching >= leastLength) {
                addRange(i, j, matching);
            }
            if (i > 0 && j > 0) {
                if (isUp(i, j)) {
                    i--;
                } else {
                    j--;
                }
            }
        }
    }

    private void addRange(int fromInFirst, int fromInSecond, int matching) {
        if (rangesEnd == ranges.length) {
            ranges = Arrays.copyOf(ranges, ranges.length * 2);
        }
        ranges[rangesEnd++] = fromInFirst;
        ranges[rangesEnd++] = fromInSecond;
        ranges[rangesEnd++] = matching;
    }

    private void writeRanges(Reply reply) {
        reply.map(2);
        reply.bulk("matches");
        reply.array(rangesEnd / 3);
        for (int r = 0; r < rangesEnd; r += 3) {
            int matching = ranges[r + 2];
            reply.array(showsLengths ? 3 : 2);
            reply.array(2);
            reply.integer(ranges[r]);
            reply.integer((long) ranges[r] + matching - 1);
            reply.array(2);
            reply.integer(ranges[r + 1]);
            reply.integer((long) ranges[r + 1] + matching - 1);
            if (showsLengths) {
                reply.integer(matching);
            }
        }
        reply.bulk("len");
        reply.integer(length);
    }
}
