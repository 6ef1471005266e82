package dev.caskwright.infinispan;

import java.nio.file.Path;
import org.infinispan.commons.test.CommonsTestingUtil;
import org.infinispan.commons.util.Util;
import org.infinispan.configuration.cache.Configuration;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.persistence.BaseNonBlockingStoreTest;
import org.infinispan.persistence.spi.NonBlockingStore;
import org.testng.annotations.AfterMethod;
import org.testng.annotations.BeforeClass;
import org.testng.annotations.Test;
import reactor.blockhound.BlockHound;

/** Infinispan's own tests of a store by itself. */
@Test(groups = "unit", testName = "dev.caskwright.infinispan.NonBlockingStoreKitTest")
public class NonBlockingStoreKitTest extends BaseNonBlockingStoreTest {
    private final String directory = CommonsTestingUtil.tmpDirectory(getClass());

    /** The kit says which threads must not block; this makes a call that does so all the same fail. */
    @BeforeClass(alwaysRun = true)
    void refuseBlockingCalls() {
        BlockHound.install();
    }

    @Override
    protected NonBlockingStore<Object, Object> createStore() {
        Util.recursiveFileRemove(Path.of(directory));
        return new CaskwrightStore<>();
    }

    @Override
    protected Configuration buildConfig(ConfigurationBuilder builder) {
        return builder.persistence()
                .addStore(CaskwrightStoreConfigurationBuilder.class)
                .path(directory)
                .build();
    }

    @AfterMethod(alwaysRun = true)
    @Override
    public void tearDown() {
        super.tearDown();
        Util.recursiveFileRemove(Path.of(directory));
    }
}
