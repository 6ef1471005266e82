package dev.caskwright.moss;

import dev.caskwright.moss.memory.Layer;
import dev.caskwright.moss.memory.MemTable;
import java.util.Arrays;

/*
 *   active   the memory table that takes writes
 *   layers   0 .. base       top and mid: sealed tables, and segments that the merger made of them
 *            base .. clean   base: what the persister is writing
 *            clean ..        clean: what is written, and kept because there is room
 *   bottom   what is below: files, another engine, or nothing
 */
/** The layers of a store at one moment, newest first. Immutable, except that the active table takes writes. */
final class Stack {
    private static final Layer[] NONE = {};

    final MemTable active;
    final Layer[] layers;
    final int base;
    final int clean;
    final Bottom bottom;

    private Stack(MemTable active, Layer[] layers, int base, int clean, Bottom bottom) {
        this.active = active;
        this.layers = layers;
        this.base = base;
        this.clean = clean;
        this.bottom = bottom;
    }

    static Stack empty(MemTable active, Bottom bottom) {
        return new Stack(active, NONE, 0, 0, bottom);
    }

    /** Returns this stack with the active table sealed, further tables sealed above it, and another one active. */
    Stack sealed(Layer[] newestFirst, MemTable next) {
        int more = newestFirst.length;
        Layer[] all = new Layer[more + layers.length];
        System.arraycopy(newestFirst, 0, all, 0, more);
        System.arraycopy(layers, 0, all, more, layers.length);
        return new Stack(next, all, base + more, clean + more, bottom);
    }

    /** Returns this stack with a run of layers above the base replaced by one. */
    Stack merged(Layer newest, int count, Layer result) {
        int from = indexOf(newest);
        Layer[] all = new Layer[layers.length - count + 1];
        System.arraycopy(layers, 0, all, 0, from);
        all[from] = result;
        System.arraycopy(layers, from + count, all, from + 1, layers.length - from - count);
        return new Stack(active, all, base - count + 1, clean - count + 1, bottom);
    }

    private int indexOf(Layer layer) {
        for (int i = 0; i < layers.length; i++) {
            if (layers[i] == layer) {
                return i;
            }
        }
        throw new IllegalStateException("layer is not in the stack: layers=" + layers.length);
    }

    /** Returns this stack with the oldest dirty layers as its base. */
    Stack withBase(int from) {
        return new Stack(active, layers, from, clean, bottom);
    }

    /** Returns this stack with its base given back: nothing is being written. */
    Stack withoutBase() {
        return withBase(clean);
    }

    /** Returns this stack after its base was written: so many of the clean layers, with the base first, are kept. */
    Stack persisted(Layer[] keptClean, Bottom next) {
        Layer[] all = Arrays.copyOf(layers, base + keptClean.length);
        System.arraycopy(keptClean, 0, all, base, keptClean.length);
        return new Stack(active, all, base, base, next);
    }

    /** Returns this stack over another bottom. */
    Stack over(Bottom next) {
        return new Stack(active, layers, base, clean, next);
    }

    /** Returns the bytes of what is not yet written. */
    long dirtyBytes() {
        long bytes = active.bytes();
        for (int i = 0; i < clean; i++) {
            bytes += layers[i].bytes();
        }
        return bytes;
    }

    /** Returns the bytes of the layers from one number up to, not including, another one. */
    long bytes(int from, int to) {
        long bytes = 0;
        for (int i = from; i < to; i++) {
            bytes += layers[i].bytes();
        }
        return bytes;
    }
}
