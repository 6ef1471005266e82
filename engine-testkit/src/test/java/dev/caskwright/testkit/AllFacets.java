package dev.caskwright.testkit;

/** The contracts of all facets of engines. */
interface AllFacets
        extends BackupsContract,
                ChangeFeedContract,
                ConditionalWritesContract,
                ExpiryContract,
                MergingContract,
                OrderedViewContract,
                TransactionsContract,
                VersionsContract {}
