package dev.caskwright.server.command;

import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Data;
import dev.caskwright.server.store.Data.Stored;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET] [EX | PX | EXAT | PXAT time | KEEPTTL].
 */
final class SetCommand {
    private enum Condition {
        NONE,
        ABSENT,
        PRESENT,
        EQUAL,
        NOT_EQUAL,
        SAME_DIGEST,
        OTHER_DIGEST;

        /** Returns the condition that an option with a value names, or null. */
        static @Nullable Condition ofComparison(Request request, int i) {
            if (request.is(i, "IFEQ")) {
                return EQUAL;
            }
            if (request.is(i, "IFNE")) {
                return NOT_EQUAL;
            }
            if (request.is(i, "IFDEQ")) {
                return SAME_DIGEST;
            }
            return request.is(i, "IFDNE") ? OTHER_DIGEST : null;
        }

        boolean compares() {
            return compareTo(EQUAL) >= 0;
        }
    }

    private final Call call;
    private Condition condition = Condition.NONE;
    private int comparedAt;
    private long comparedDigest;
    private boolean returnsOld;
    private boolean keepsExpiry;
    private long expiresAtMillis = Data.NEVER;

    private SetCommand(Call call) {
        this.call = call;
    }

    static void run(Call call) throws IOException {
        if (call.count() == 3) {
            call.put(call.key(1), call.string(2), Data.NEVER);
            call.reply().ok();
            return;
        }
        SetCommand set = new SetCommand(call);
        set.parse();
        set.apply();
    }

    /** Returns whether a request tells of, or depends on, the old value. */
    static boolean reads(Request request) {
        for (int i = 3; i < request.count(); i++) {
            if (request.is(i, "GET") || Condition.ofComparison(request, i) != null) {
                return true;
            }
        }
        return false;
    }

    private void parse() {
        Request request = call.request();
        int i = 3;
        while (i < call.count()) {
            boolean hasNext = i + 1 < call.count();
            Condition comparison = hasNext ? Condition.ofComparison(request, i) : null;
            if (request.is(i, "NX")) {
                only(Condition.ABSENT);
            } else if (request.is(i, "XX")) {
                only(Condition.PRESENT);
            } else if (comparison != null) {
                only(comparison);
                compareWith(++i);
            } else if (request.is(i, "GET")) {
                returnsOld = true;
            } else if (request.is(i, "KEEPTTL") && expiresAtMillis == Data.NEVER) {
                keepsExpiry = true;
            } else if (hasNext && isTime(request, i) && !keepsExpiry && expiresAtMillis == Data.NEVER) {
                expiresAtMillis = moment(call, i++);
            } else {
                throw CommandException.syntax();
            }
            i++;
        }
    }

    private void compareWith(int i) {
        comparedAt = i;
        if (condition == Condition.SAME_DIGEST || condition == Condition.OTHER_DIGEST) {
            comparedDigest = Digest.parse(call.request(), i);
        }
    }

    private void only(Condition next) {
        if (condition != Condition.NONE && condition != next) {
            throw CommandException.syntax();
        }
        condition = next;
    }

    static boolean isTime(Request request, int i) {
        return request.is(i, "EX") || request.is(i, "PX") || request.is(i, "EXAT") || request.is(i, "PXAT");
    }

    /** Returns the moment that an option and the argument behind it say. */
    static long moment(Call call, int i) {
        Request request = call.request();
        boolean isFromNow = request.is(i, "EX") || request.is(i, "PX");
        boolean isSeconds = request.is(i, "EX") || request.is(i, "EXAT");
        if (call.integer(i + 1) <= 0) {
            throw CommandException.invalidExpireTime(call);
        }
        return call.moment(i + 1, isSeconds, isFromNow);
    }

    private void apply() throws IOException {
        byte[] key = call.key(1);
        // The old value is looked at only if something depends on it.
        boolean needsOld = returnsOld || keepsExpiry || condition != Condition.NONE;
        Stored old = needsOld ? old(key) : null;
        boolean holds = holds(old);
        if (holds) {
            if (expiresAtMillis != Data.NEVER && expiresAtMillis <= call.nowMillis()) {
                call.data().delete(key);
            } else {
                call.put(key, call.string(2), keepsExpiry && old != null ? old.expiresAtMillis() : expiresAtMillis);
            }
        }
        if (returnsOld) {
            call.replyStored(old == null ? null : old.stored());
        } else if (holds) {
            call.reply().ok();
        } else {
            call.reply().nil();
        }
    }

    private @Nullable Stored old(byte[] key) throws IOException {
        boolean readsValue = returnsOld || condition.compares();
        return readsValue ? call.stringEntry(key) : call.data().entry(key);
    }

    private boolean holds(@Nullable Stored old) {
        return switch (condition) {
            case NONE -> true;
            case ABSENT -> old == null;
            case PRESENT -> old != null;
            case EQUAL -> old != null && StringCommands.equals(old.stored(), call.request(), comparedAt);
            case NOT_EQUAL -> old == null || !StringCommands.equals(old.stored(), call.request(), comparedAt);
            case SAME_DIGEST -> old != null && Digest.of(old.stored()) == comparedDigest;
            case OTHER_DIGEST -> old == null || Digest.of(old.stored()) != comparedDigest;
        };
    }
}
