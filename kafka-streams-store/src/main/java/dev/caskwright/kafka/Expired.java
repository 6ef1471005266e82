package dev.caskwright.kafka;

import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.jspecify.annotations.Nullable;

/**
 * Counts records that came after their window had expired: metric {@code expired-record-drop} of {@code
 * stream-state-metrics}.
 */
final class Expired {
    private final String store;
    private @Nullable StateStoreContext context;
    private @Nullable Sensor sensor;

    Expired(String store) {
        this.store = store;
    }

    void init(StateStoreContext opened) {
        context = opened;
        sensor = opened.metrics()
                .addRateTotalSensor(
                        "state", opened.taskId() + "." + store, "expired-record-drop", Sensor.RecordingLevel.INFO);
    }

    /** Takes the metric away with the store. */
    void close() {
        if (context != null && sensor != null) {
            context.metrics().removeSensor(sensor);
        }
        context = null;
        sensor = null;
    }

    void count() {
        if (sensor != null) {
            sensor.record();
        }
    }
}
