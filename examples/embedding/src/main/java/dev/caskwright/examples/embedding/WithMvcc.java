package dev.caskwright.examples.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caskwright.mvcc.Event;
import dev.caskwright.mvcc.KeyRange;
import dev.caskwright.mvcc.MvccStore;
import dev.caskwright.mvcc.RangeRequest;
import dev.caskwright.mvcc.Watch;
import dev.caskwright.mvcc.WatchRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Every key at every revision, in the file of an etcd server: look back, and watch what changes. */
public final class WithMvcc {
    private WithMvcc() {}

    /** Runs it in the directory that the first argument names. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        byte[] cask = "cask:1".getBytes(UTF_8);
        try (MvccStore store = MvccStore.open(Path.of(arguments[0], "casks.db"))) {
            long first = store.put(cask, "oak".getBytes(UTF_8)).revision();
            store.put(cask, "ash".getBytes(UTF_8)).token().await(); // durable from here on
            RangeRequest then =
                    RangeRequest.of(KeyRange.prefix("cask:".getBytes(UTF_8))).atRevision(first);
            System.out.println(
                    "was " + new String(store.range(then).entries().get(0).value(), UTF_8));
            try (Watch watch = store.watch(WatchRequest.of(KeyRange.all()).fromRevision(first))) {
                for (Event event : watch.take(10, TimeUnit.SECONDS).events()) {
                    System.out.println(event.revision() + " " + event.kind());
                }
            }
        }
    }
}
