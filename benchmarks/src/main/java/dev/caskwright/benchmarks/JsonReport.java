package dev.caskwright.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collector;
import java.util.stream.Collectors;

/** The report as JSON, for programs: facts, verdicts, and every sample of every round. */
final class JsonReport {
    private JsonReport() {}

    static String render(Results results, List<Figure> figures) {
        StringBuilder json = new StringBuilder(1 << 16);
        json.append("{\n\"machine\": ").append(object(results.machine()));
        json.append(",\n\"options\": ").append(object(results.options()));
        json.append(",\n\"keys\": ").append(results.keys());
        json.append(",\n\"valueSize\": ").append(results.valueSize());
        json.append(",\n\"contenders\": ")
                .append(results.subjects().stream().map(JsonReport::contender).collect(array()));
        json.append(",\n\"figures\": ")
                .append(figures.stream().map(JsonReport::figure).collect(array()));
        json.append(",\n\"samples\": ")
                .append(results.samples().stream().map(JsonReport::sample).collect(array()));
        json.append(",\n\"failures\": ")
                .append(results.failures().stream().map(JsonReport::string).collect(array()));
        return json.append("\n}\n").toString();
    }

    private static Collector<CharSequence, ?, String> array() {
        return Collectors.joining(",\n", "[", "]");
    }

    private static String contender(String id) {
        Subject subject = Subject.of(id);
        return "{\"id\": " + string(id) + ", \"label\": " + string(subject.fullLabel()) + ", \"level\": "
                + string(subject.tag()) + ", \"version\": " + string(subject.version()) + ", \"settings\": "
                + string(subject.note()) + "}";
    }

    private static String figure(Figure figure) {
        return "{\"work\": " + string(figure.work()) + ", \"ours\": " + string(figure.ours()) + ", \"target\": "
                + string(figure.target()) + ", \"bound\": " + number(figure.bound()) + ", \"value\": "
                + (figure.value().isEmpty() ? "null" : number(figure.value().getAsDouble())) + ", \"verdict\": "
                + string(figure.verdict().words()) + "}";
    }

    private static String sample(Sample sample) {
        return "{\"subject\": " + string(sample.subject()) + ", \"metric\": "
                + string(sample.metric().id()) + ", \"detail\": " + string(sample.detail()) + ", \"keys\": "
                + sample.keys() + ", \"valueSize\": " + sample.valueSize() + ", \"value\": "
                + number(sample.value()) + ", \"unit\": "
                + string(sample.metric().unit()) + ", \"durability\": "
                + string(
                        sample.metric().promise() == Metric.Promise.SYNC
                                ? "SYNC"
                                : Subject.of(sample.subject()).tag())
                + "}";
    }

    private static String object(Map<String, String> facts) {
        return facts.entrySet().stream()
                .map(fact -> string(fact.getKey()) + ": " + string(fact.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static String number(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.6g", value) : "null";
    }

    private static String string(String text) {
        StringBuilder json = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
