package dev.caskwright.moss;

import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.function.UnaryOperator;

/** A child collection of the engine. Each write is a batch that finds the collection by its names. */
final class WritableCollection extends CollectionView implements MossCollection {
    /** Writes a batch for the options. */
    interface Sink {
        void write(MossBatch batch, WriteOptions options) throws IOException;
    }

    private final Sink sink;
    private final UnaryOperator<MossBatch> path;

    WritableCollection(CollectionView parent, String name, Sink sink, UnaryOperator<MossBatch> parentPath) {
        super(parent.source(), parent, KeySpace.name(name));
        this.sink = sink;
        this.path = root -> parentPath.apply(root).child(name);
    }

    private interface Change {
        void add(MossBatch batch);
    }

    private void write(WriteOptions options, Change change) throws IOException {
        MossBatch batch = new MossBatch();
        change.add(path.apply(batch));
        sink.write(batch, options);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        write(options, batch -> batch.put(key, value));
    }

    @Override
    public void remove(byte[] key, WriteOptions options) throws IOException {
        write(options, batch -> batch.delete(key));
    }

    @Override
    public void merge(byte[] key, byte[] operand, WriteOptions options) throws IOException {
        write(options, batch -> batch.merge(key, operand));
    }

    @Override
    public void deleteRange(byte[] from, byte[] to, WriteOptions options) throws IOException {
        write(options, batch -> batch.deleteRange(from, to));
    }

    @Override
    public MossCollection child(String childName) {
        return new WritableCollection(this, childName, sink, path);
    }
}
