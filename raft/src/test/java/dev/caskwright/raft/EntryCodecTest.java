package dev.caskwright.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.raft.EntryCodec.Command;
import dev.caskwright.raft.EntryCodec.Decoded;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The bytes of entries: those of this version for ever, and no others. */
final class EntryCodecTest {
    /** An entry of format 1, which every later version must read. */
    private static final String GOLDEN =
            "01" + "0000018bcfe56800" + "00000002" + "00" + "00000003" + "0a0b0c" + "7f" + "00000000";

    private static final List<Command> COMMANDS =
            List.of(new Command((byte) 0, new byte[] {10, 11, 12}), new Command((byte) 127, new byte[0]));

    @Test
    void theBytesOfAnEntryAreThoseOfFormat1() {
        assertThat(HexFormat.of().formatHex(EntryCodec.encode(1_700_000_000_000L, COMMANDS)))
                .isEqualTo(GOLDEN);
    }

    @Test
    void anEntryOfFormat1IsRead() throws UnsupportedFormatException {
        Decoded entry = EntryCodec.decode(ByteBuffer.wrap(HexFormat.of().parseHex(GOLDEN)));
        assertThat(entry.timeMillis()).isEqualTo(1_700_000_000_000L);
        assertThat(entry.commands()).hasSize(2);
        assertThat(entry.commands().get(0).kind()).isZero();
        assertThat(entry.commands().get(0).bytes()).containsExactly(10, 11, 12);
        assertThat(entry.commands().get(1).kind()).isEqualTo((byte) 127);
        assertThat(entry.commands().get(1).bytes()).isEmpty();
    }

    @Test
    void anEntryOfANewerFormatIsRefusedByName() {
        byte[] newer = HexFormat.of().parseHex(GOLDEN);
        newer[0] = 2;
        assertThatThrownBy(() -> EntryCodec.decode(ByteBuffer.wrap(newer)))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("format=2")
                .hasMessageContaining("bring this member to the version of the others");
    }

    @Test
    void everyEntryThatIsCutShortOrTooLongIsRefused() {
        byte[] whole = HexFormat.of().parseHex(GOLDEN);
        for (int length = 0; length < whole.length; length++) {
            ByteBuffer cut = ByteBuffer.wrap(whole, 0, length);
            assertThatThrownBy(() -> EntryCodec.decode(cut))
                    .describedAs("cut after %d bytes", length)
                    .isInstanceOf(UnsupportedFormatException.class);
        }
        ByteBuffer longer = ByteBuffer.allocate(whole.length + 1).put(whole).rewind();
        assertThatThrownBy(() -> EntryCodec.decode(longer)).isInstanceOf(UnsupportedFormatException.class);
    }

    @Test
    void noBytesMakeTheDecoderDoAnythingButRefuse() {
        long seed = Long.getLong("caskwright.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[random.nextInt(60)];
            random.nextBytes(bytes);
            if (bytes.length > 0) {
                bytes[0] = EntryCodec.FORMAT;
            }
            try {
                EntryCodec.decode(ByteBuffer.wrap(bytes));
            } catch (UnsupportedFormatException e) {
                // refused, as it should be
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed=" + seed + ", round=" + i, e);
            }
        }
    }
}
