package dev.caskwright.examples.springcache;

import java.util.concurrent.CountDownLatch;

/** Starts the application and stays, as one that serves does, until it is killed. */
final class KilledApplication {
    private KilledApplication() {}

    public static void main(String[] arguments) throws InterruptedException {
        Application.main(arguments);
        new CountDownLatch(1).await();
    }
}
