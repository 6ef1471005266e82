package dev.caskwright.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Slots are those of Redis Cluster, and a view of who has them cannot be one that contradicts itself. */
final class HashSlotTest {
    private static final ClusterNode ONE = new ClusterNode("one", "10.0.0.1", 7001);
    private static final ClusterNode TWO = new ClusterNode("two", "10.0.0.2", 7002);

    private static int slot(String key) {
        return HashSlot.of(key.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theChecksumIsThatOfTheSpecification() {
        byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
        assertThat(HashSlot.crc16(digits, 0, digits.length)).isEqualTo(0x31C3);
        assertThat(slot("123456789")).isEqualTo(0x31C3);
        assertThat(slot("")).isZero();
        assertThat(slot("foo")).isEqualTo(12_182);
        // The register is shifted through all bytes: those beyond 0x7F must not be taken for negative numbers.
        byte[] bytes = {(byte) 0xFF, (byte) 0x80, 0};
        assertThat(HashSlot.crc16(bytes, 0, 3)).isEqualTo(bitwise(bytes));
    }

    /** The checksum as the specification has it, bit by bit. */
    private static int bitwise(byte[] bytes) {
        int crc = 0;
        for (byte b : bytes) {
            crc ^= (b & 0xFF) << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? (crc << 1 ^ 0x1021) & 0xFFFF : crc << 1 & 0xFFFF;
            }
        }
        return crc;
    }

    @Test
    void aTagIsWhatIsInTheFirstBraces() {
        assertThat(slot("{user1000}.following"))
                .isEqualTo(slot("{user1000}.followers"))
                .isEqualTo(slot("user1000"));
        assertThat(slot("a{foo}{bar}")).isEqualTo(slot("foo"));
        assertThat(slot("foo{{bar}}zap")).isEqualTo(slot("{bar"));
        assertThat(slot("foo{bar}{zap}")).isEqualTo(slot("bar"));
        // Nothing in the first braces: the whole key counts, whatever comes later.
        assertThat(slot("foo{}{bar}")).isNotEqualTo(slot("bar")).isEqualTo(8_363);
        assertThat(slot("foo{bar")).isNotEqualTo(slot("bar"));
        assertThat(slot("foo}bar{")).isNotEqualTo(slot("bar"));
    }

    @Test
    void aPartOfAnArrayIsLikeAKeyOfItsOwn() {
        byte[] bytes = "xx{foo}yy}".getBytes(StandardCharsets.US_ASCII);
        assertThat(HashSlot.of(bytes, 3, 6)).isEqualTo(slot("foo"));
        assertThat(HashSlot.of(bytes, 2, 6)).isEqualTo(slot("{foo"));
        assertThat(HashSlot.of(bytes, 2, 7)).isEqualTo(slot("foo"));
    }

    @Test
    void aViewKnowsWhoHasWhat() {
        ClusterView view = new ClusterView(
                7,
                ONE,
                List.of(ONE, TWO),
                List.of(
                        new SlotRange(200, 299, null, List.of()),
                        new SlotRange(0, 99, ONE, List.of(TWO)),
                        new SlotRange(100, 199, ONE, List.of(TWO)),
                        new SlotRange(300, 16_383, TWO, List.of(ONE))));
        assertThat(view.ranges()).hasSize(3);
        assertThat(view.ranges().get(0)).isEqualTo(new SlotRange(0, 199, ONE, List.of(TWO)));
        assertThat(view.isOwn(0)).isTrue();
        assertThat(view.isOwn(199)).isTrue();
        assertThat(view.isOwn(200)).isFalse();
        assertThat(view.isOwn(300)).isFalse();
        assertThat(view.range(299).master()).isNull();
        assertThat(view.range(16_383).master()).isEqualTo(TWO);
        assertThat(view.servedSlots()).isEqualTo(16_284);
        assertThat(new ClusterView(1, ONE, List.of(ONE), List.of()).range(5)).isNull();
    }

    @Test
    void aViewThatContradictsItselfIsRefused() {
        List<ClusterNode> nodes = List.of(ONE, TWO);
        List<SlotRange> overlapping =
                List.of(new SlotRange(0, 100, ONE, List.of()), new SlotRange(100, 200, TWO, List.of()));
        assertThatThrownBy(() -> new ClusterView(1, ONE, nodes, overlapping)).hasMessageContaining("overlap");
        List<SlotRange> strange = List.of(new SlotRange(0, 100, TWO, List.of()));
        assertThatThrownBy(() -> new ClusterView(1, ONE, List.of(ONE), strange)).hasMessageContaining("not one of");
        assertThatThrownBy(() -> new ClusterView(1, TWO, List.of(ONE), List.of()))
                .hasMessageContaining("not one of");
        assertThatThrownBy(() -> new SlotRange(5, 16_384, ONE, List.of())).hasMessageContaining("out of range");
        assertThatThrownBy(() -> new SlotRange(5, 4, ONE, List.of())).hasMessageContaining("out of range");
        assertThatThrownBy(() -> new ClusterNode("one", "[::1]", 7001)).hasMessageContaining("brackets");
        assertThatThrownBy(() -> new ClusterNode("one", "::1", 0)).hasMessageContaining("out of range");
    }
}
