package dev.caskwright.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.api.UnsupportedFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What a member tells another one of itself, with each question who it is and with each answer.
 *
 * <pre>
 * | time (8) | committed (8) | its name | its text | members: their count (4), then each of them     a text: length (4), UTF-8
 * </pre>
 *
 * @param timeMillis what its clock says, in milliseconds since 1970
 * @param committed the index of the last entry that it knows to be agreed on, and has on disk; -1 if there is none
 * @param id its name
 * @param about what it says of itself
 * @param members the members of the group, as far as it knows; empty while it waits to be taken in
 */
record Hello(long timeMillis, long committed, String id, String about, List<RaftMember> members) {
    byte[] toBytes() {
        List<byte[]> texts = new ArrayList<>();
        texts.add(id.getBytes(UTF_8));
        texts.add(about.getBytes(UTF_8));
        for (RaftMember member : members) {
            texts.add(member.toString().getBytes(UTF_8));
        }
        int length = 2 * Long.BYTES + Integer.BYTES;
        for (byte[] text : texts) {
            length += Integer.BYTES + text.length;
        }
        ByteBuffer out = ByteBuffer.allocate(length).putLong(timeMillis).putLong(committed);
        for (int i = 0; i < texts.size(); i++) {
            if (i == 2) {
                out.putInt(members.size());
            }
            out.putInt(texts.get(i).length).put(texts.get(i));
        }
        if (members.isEmpty()) {
            out.putInt(0);
        }
        return out.array();
    }

    /** @throws UnsupportedFormatException if the bytes are not of that form */
    static Hello of(ByteBuffer in) throws UnsupportedFormatException {
        try {
            long timeMillis = in.getLong();
            long committed = in.getLong();
            String id = text(in);
            String about = text(in);
            int count = in.getInt();
            List<RaftMember> members = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                members.add(RaftMember.parse(text(in)));
            }
            return new Hello(timeMillis, committed, id, about, List.copyOf(members));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            UnsupportedFormatException damaged =
                    new UnsupportedFormatException("what the member says of itself cannot be read: " + e);
            damaged.addSuppressed(e);
            throw damaged;
        }
    }

    private static String text(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, UTF_8);
    }

    /** Returns whether a member of this name is among those that it knows. */
    boolean knows(String member) {
        return members.stream().anyMatch(each -> each.id().equals(member));
    }
}
