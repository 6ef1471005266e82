package dev.caskwright.kafka;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.query.Position;

/**
 * What a store remembers beside its entries: the offsets of the changelog that its content stands for, the position in
 * the input, the stream time, and whether there are changes of a transaction whose commit the store has not seen. It is
 * written in the batch of the entries. All numbers are big-endian:
 *
 * <pre>
 * | version 1 | uncommitted 1 | stream time 8 | offsets 4 | (topic UTF, partition 4, offset 8) ...
 *   | positions 4 | (topic UTF, partition 4, offset 8) ... |
 * </pre>
 */
record StateRecord(Map<TopicPartition, Long> offsets, Position position, long streamTime, boolean hasUncommitted) {
    static final long NO_TIME = -1;

    private static final int VERSION = 1;

    static StateRecord empty() {
        return new StateRecord(Map.of(), Position.emptyPosition(), NO_TIME, false);
    }

    byte[] encode() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeByte(VERSION);
        out.writeBoolean(hasUncommitted);
        out.writeLong(streamTime);
        write(out, offsets);
        Map<TopicPartition, Long> positions = new HashMap<>();
        for (String topic : position.getTopics()) {
            position.getPartitionPositions(topic)
                    .forEach((partition, offset) -> positions.put(new TopicPartition(topic, partition), offset));
        }
        write(out, positions);
        return bytes.toByteArray();
    }

    static StateRecord decode(byte[] record) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(record));
        int version = in.readUnsignedByte();
        if (version != VERSION) {
            throw new IOException("the store was written by another version: format=" + version + ", known=" + VERSION);
        }
        boolean hasUncommitted = in.readBoolean();
        long streamTime = in.readLong();
        Map<TopicPartition, Long> offsets = read(in);
        Position position = Position.emptyPosition();
        read(in).forEach((each, offset) -> position.withComponent(each.topic(), each.partition(), offset));
        return new StateRecord(offsets, position, streamTime, hasUncommitted);
    }

    private static void write(DataOutputStream out, Map<TopicPartition, Long> offsets) throws IOException {
        Map<String, Map.Entry<TopicPartition, Long>> sorted = new TreeMap<>();
        offsets.entrySet().forEach(each -> sorted.put(each.getKey().toString(), each));
        out.writeInt(sorted.size());
        for (Map.Entry<TopicPartition, Long> each : sorted.values()) {
            out.writeUTF(each.getKey().topic());
            out.writeInt(each.getKey().partition());
            out.writeLong(each.getValue());
        }
    }

    private static Map<TopicPartition, Long> read(DataInputStream in) throws IOException {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        for (int left = in.readInt(); left > 0; left--) {
            String topic = in.readUTF();
            int partition = in.readInt();
            offsets.put(new TopicPartition(topic, partition), in.readLong());
        }
        return offsets;
    }
}
