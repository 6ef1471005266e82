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
    private @Nullable Sensor sensor;

    Expired(String store) {
        this.store = store;
    }

    void init(StateStoreContext context) {
        sensor = context.metrics()
                .addRateTotalSensor(
                        "state", context.taskId() + "." + store, "expired-record-drop", Sensor.RecordingLevel.INFO);
    }

    void count() {
        if (sensor != null) {
            sensor.record();
        }
    }
}
