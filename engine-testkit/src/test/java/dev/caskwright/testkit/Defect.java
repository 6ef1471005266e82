package dev.caskwright.testkit;

/** What can be wrong with a {@link MapEngine}, and the test that convicts it. */
enum Defect {
    NONE(""),
    KEEPS_ALL_IN_THE_PROCESS("aClosedStoreIsAllInItsDirectory"),
    WRITES_WHEN_IT_CLOSES("whatWasWrittenIsInTheDirectoryForTheNextProcess"),
    KEEPS_NOTHING("reopeningKeepsEverything"),
    LOSES_DELETES("reopeningKeepsEverything"),
    STARTS_VERSIONS_AGAIN("noVersionIsGivenOutTwice"),
    ONE_VERSION_FOR_A_BATCH("noVersionIsGivenOutTwice"),
    ZEROS_FOR_LARGE_VALUES("largeValuesAreKeptByteForByte"),
    TWO_ENDS_OF_A_BATCH("aBatchHasOneEndInTheFeed"),
    EXPIRE_IS_NO_CHANGE("aChangeOfExpiryIsInTheFeed"),
    DELETE_IS_NO_CHANGE("changesComeInTheOrderOfTheirCommit"),
    FEED_STARTS_ONE_LATE("changesComeInTheOrderOfTheirCommit"),
    BACKUP_OVERWRITES_ANOTHER_STORE("aBackupRefusesTheDirectoryOfAnotherStore"),
    BACKUP_CLEARS_ITS_TARGET("aBackupLeavesFilesOfOthersAlone"),
    BACKUP_INTO_ITSELF("aBackupIntoTheStoreItselfIsRefused"),
    BACKUP_IS_EMPTY("aBackupIsAStore"),
    BACKUP_IS_NEVER_BROUGHT_UP_TO_DATE("aBackupIsBroughtUpToDateByAnother"),
    TWO_OWNERS("aStoreHasOneOwner"),
    WORKS_AFTER_CLOSE("aClosedEngineRefusesEverything"),
    SNAPSHOTS_WORK_AFTER_CLOSE("closedViewsRefuse"),
    NO_EMPTY_VALUES("anEmptyValueIsAValue"),
    SHARES_ARRAYS("arraysAreNeitherKeptNorShared"),
    TAKES_ANY_KEY("keysOfOtherLengthsAreRefusedEverywhere"),
    DELETES_THE_ABSENT("deletingAnAbsentKeyWritesNothing"),
    FILLS_SMALL_BUFFERS("aBufferThatIsTooSmallStaysAsItIs"),
    VISITS_ON("aVisitEndsWhenTheVisitorHasEnough"),
    PUT_IF_ABSENT_OVERWRITES("putIfAbsentPutsOnlyWhereNothingIs"),
    REPLACE_COMPARES_NOTHING("replacePutsOnlyWhereTheValueIsTheExpectedOne"),
    REPLACE_VERSION_COMPARES_NOTHING("replaceVersionPutsOnlyOverThatWrite"),
    DELETE_COMPARES_NOTHING("deleteIfEqualRemovesOnlyTheExpectedValue"),
    UPDATES_ARE_LOST("conditionalWritesLoseNoUpdate"),
    CURSORS_ARE_LIVE("writesMadeBesideACursorDoNotShow"),
    CURSORS_SKIP_THE_LAST("aCursorShowsWhatAVisitShows"),
    CURSORS_WORK_AFTER_CLOSE("closedViewsRefuse"),
    PUTS_KEEP_THE_EXPIRY("aPutWithoutExpiryPersists"),
    HIDES_A_FACET("theFacetsHeldAreThoseWhoseContractsAreRun"),
    BATCHES_LOSE_DELETES("aBatchAppliesAllItsChanges"),
    BATCHES_BY_PIECES("snapshotsSeeWholeBatches"),
    SNAPSHOTS_ARE_LIVE("aSnapshotStaysAsItWas"),
    EXPIRED_ARE_VISITED("anExpiredKeyIsAbsentEverywhereAtOnce"),
    EXPIRED_COME_BACK("anExpiredKeyNeverComesBack"),
    EXPIRY_CANNOT_BE_TAKEN_AWAY("expiryCanBeChangedAndTakenAway"),
    BATCHES_DO_NOT_EXPIRE("batchesExpireEntryByEntry"),
    TRANSACTIONS_DO_NOT_SEE_THEMSELVES("aTransactionSeesItsOwnChangesAndNobodyElseDoes"),
    TRANSACTIONS_CHECK_NOTHING("aTransactionFailsIfWhatItReadHasChanged"),
    TRANSACTIONS_CHECK_WRITES("aTransactionDependsOnNothingElse"),
    MERGE_LOSES_A_KEY("aMergeKeepsTheContentAndGivesSpaceBack"),
    MERGE_GIVES_NOTHING_BACK("aMergeKeepsTheContentAndGivesSpaceBack"),
    MERGE_BRINGS_BACK_THE_DELETED("aDeletedKeyStaysDeletedThroughMergesAndReopens"),
    SIGNED_ORDER("keysAreInTheOrderOfUnsignedBytes"),
    RANGES_INCLUDE_THEIR_START("rangesHaveBoundsAndDirections"),
    NO_LIMIT("aLimitEndsAWalk");

    final String test;

    Defect(String test) {
        this.test = test;
    }
}
