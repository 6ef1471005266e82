package dev.caskwright.index.btree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.mapdb.Serializer;

final class NodeStoreTest {
    private static final int PAGE_SIZE = 1024;

    private final NodeStore store = new NodeStore();

    private long put(String record) {
        return store.put(record, Serializer.STRING);
    }

    private String get(long recid) {
        return store.get(recid, Serializer.STRING);
    }

    @Test
    void recordsAreNumberedFromOneOnAndFoundByNumber() {
        for (int i = 1; i <= 3 * PAGE_SIZE + 1; i++) {
            assertThat(put("node " + i)).isEqualTo(i);
            assertThat(store.count()).isEqualTo(i);
        }
        for (int i = 1; i <= 3 * PAGE_SIZE + 1; i++) {
            assertThat(get(i)).isEqualTo("node " + i);
        }
    }

    @Test
    void aPageIsAddedWhenTheLastIsFull() {
        int pageBytes = 16 + PAGE_SIZE * 4;
        assertThat(store.pageBytes()).isZero();
        put("first");
        assertThat(store.pageBytes()).isEqualTo(pageBytes);
        for (int i = 1; i < PAGE_SIZE; i++) {
            put("other");
        }
        assertThat(store.pageBytes()).isEqualTo(pageBytes);
        put("one more");
        assertThat(store.pageBytes()).isEqualTo(2 * pageBytes);
    }

    @Test
    void anUpdateChangesOneRecord() {
        for (int i = 1; i <= PAGE_SIZE + 2; i++) {
            put("node " + i);
        }
        store.update(2, "second", Serializer.STRING);
        store.update(PAGE_SIZE + 2, "last", Serializer.STRING);
        assertThat(get(1)).isEqualTo("node 1");
        assertThat(get(2)).isEqualTo("second");
        assertThat(get(3)).isEqualTo("node 3");
        assertThat(get(PAGE_SIZE + 2)).isEqualTo("last");
        assertThat(store.count()).isEqualTo(PAGE_SIZE + 2);
    }

    @Test
    void aRecordIsSwappedOnlyForTheExpectedOne() {
        long recid = put("a");
        assertThat(store.compareAndSwap(recid, "b", "c", Serializer.STRING)).isFalse();
        assertThat(get(recid)).isEqualTo("a");
        assertThat(store.compareAndSwap(recid, "a", "c", Serializer.STRING)).isTrue();
        assertThat(get(recid)).isEqualTo("c");
    }

    @Test
    void whatATreeNeverAsksForIsRefused() {
        assertThatThrownBy(store::preallocate).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> store.delete(1, Serializer.STRING)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(store::getAllRecids).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(store::checkThreadSafe).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void itIsAlwaysOpenAndForOneWriter() {
        store.close();
        assertThat(store.isClosed()).isFalse();
        assertThat(store.isReadOnly()).isFalse();
        assertThat(store.isThreadSafe()).isFalse();
        assertThat(store.fileLoad()).isFalse();
        assertThat(store.getAllFiles()).isEmpty();
    }
}
