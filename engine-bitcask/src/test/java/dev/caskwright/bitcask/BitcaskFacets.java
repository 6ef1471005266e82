package dev.caskwright.bitcask;

import dev.caskwright.testkit.BackupsContract;
import dev.caskwright.testkit.ChangeFeedContract;
import dev.caskwright.testkit.ConditionalWritesContract;
import dev.caskwright.testkit.ExpiryContract;
import dev.caskwright.testkit.MergingContract;
import dev.caskwright.testkit.TransactionsContract;
import dev.caskwright.testkit.VersionsContract;

/** The contracts of the facets that the engine holds over every index. */
interface BitcaskFacets
        extends BackupsContract,
                ChangeFeedContract,
                ConditionalWritesContract,
                ExpiryContract,
                MergingContract,
                TransactionsContract,
                VersionsContract {}
