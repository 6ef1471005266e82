package dev.caskwright.infinispan;

import java.nio.file.Path;
import org.infinispan.commons.test.CommonsTestingUtil;
import org.infinispan.commons.util.Util;
import org.infinispan.test.MultipleCacheManagersTest;
import org.testng.annotations.AfterClass;

/** Nodes of a cluster, each of which keeps its store below a directory of the test's. */
abstract class NodesOnDisk extends MultipleCacheManagersTest {
    final String directory = CommonsTestingUtil.tmpDirectory(getClass());

    /** Starts without a node. */
    @Override
    protected void createCacheManagers() {
        removeDirectory();
    }

    @AfterClass(alwaysRun = true)
    @Override
    protected void destroy() {
        super.destroy();
        removeDirectory();
    }

    final void removeDirectory() {
        Util.recursiveFileRemove(Path.of(directory));
    }
}
