package dev.caskwright.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the machine and this JVM say about themselves. On systems without {@code /proc} some of it is unknown. */
final class Machine {
    private static final String UNKNOWN = "unknown";

    private Machine() {}

    /** Returns what a report must name, in the order in which to show it. */
    static Map<String, String> describe(Path directory) throws IOException {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("processor", firstMatch(Path.of("/proc/cpuinfo"), "model name\\s*:\\s*(.*)"));
        facts.put("cores", String.valueOf(Runtime.getRuntime().availableProcessors()));
        facts.put("memory", memory());
        facts.put("load at start", firstMatch(Path.of("/proc/loadavg"), "^(\\S+)") + " processes (last minute)");
        facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        FileStore store = Files.getFileStore(directory);
        facts.put("file system", store.type());
        facts.put(
                "JVM",
                System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version") + " ("
                        + System.getProperty("java.vendor") + ")");
        return facts;
    }

    private static String memory() {
        String kilobytes = firstMatch(Path.of("/proc/meminfo"), "MemTotal:\\s*(\\d+) kB");
        return kilobytes.equals(UNKNOWN) ? UNKNOWN : Math.round(Long.parseLong(kilobytes) / 1048576.0) + " GiB";
    }

    /** Returns the version in the name of a library's jar on the class path. */
    static String libraryVersion(String artifact) {
        Pattern jar = Pattern.compile(Pattern.quote(artifact) + "-(\\d[^/]*)\\.jar");
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Matcher matcher = jar.matcher(entry.substring(entry.lastIndexOf(File.separatorChar) + 1));
            if (matcher.matches()) {
                return matcher.group(1);
            }
        }
        return "from this source tree";
    }

    /**
     * Returns a figure of {@code /proc/self/status}, in bytes: {@code RssAnon} is memory of the process's own, {@code
     * RssFile} are resident pages of mapped files. 0 where there is none.
     */
    static long statusBytes(String field) {
        String kilobytes = firstMatch(Path.of("/proc/self/status"), field + ":\\s*(\\d+) kB");
        return kilobytes.equals(UNKNOWN) ? 0 : Long.parseLong(kilobytes) << 10;
    }

    /** Returns how many bytes this process has sent towards the disk, dirtied mapped pages included; 0 if not known. */
    static long writtenBytes() {
        String bytes = firstMatch(Path.of("/proc/self/io"), "(?m)^write_bytes: (\\d+)");
        return bytes.equals(UNKNOWN) ? 0 : Long.parseLong(bytes);
    }

    /** Returns the space that a directory takes on the disk: blocks, so that holes of sparse files do not count. */
    static long diskBytes(Path directory) throws IOException {
        Process process = new ProcessBuilder(List.of("du", "-s", "--block-size=1", directory.toString()))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Matcher matcher = Pattern.compile("(?m)^(\\d+)\\s").matcher(output);
        if (!matcher.find()) {
            throw new IOException("cannot tell disk usage: directory=" + directory + ", du said " + output);
        }
        return Long.parseLong(matcher.group(1));
    }

    private static String firstMatch(Path file, String regex) {
        try {
            Matcher matcher = Pattern.compile(regex).matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            return matcher.find() ? matcher.group(1).strip() : UNKNOWN;
        } catch (IOException e) {
            return UNKNOWN;
        }
    }
}
