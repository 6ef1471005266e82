package dev.caskwright.it.planted;

import java.util.ArrayList;
import java.util.List;

/**
 * A bug that a store could have: what to change in one or more sources, and the tests that must notice, of which one is
 * enough. A text that is to be replaced stands in its source exactly once.
 */
enum Bug {
    NO_FORCE(engine("log/segmented/LogForce", "        handle.force();\n", "        handle.length();\n"), crash()),
    NO_DIRECTORY_FORCE(
            engine(
                    "log/segmented/LogForce",
                    "            try {\n                io.syncDirectory();\n            } catch (EngineException e) {",
                    "            try {\n                io.usableSpace();\n            } catch (EngineException e) {"),
            crash()),
    BATCH_SPLIT(
            engine(
                    "log/tail/TailRecovery",
                    "hints.add(scanner);\n                continue;",
                    "hints.add(scanner);\n                accept(scanner);\n                continue;",
                    "if (batchCount > 0) {\n            hints.cutTo",
                    "if (batchCount < 0) {\n            hints.cutTo"),
            crash()),
    TOMBSTONE_DROPPED_EARLY(
            engine(
                    "merge/TombstoneFilter",
                    "keyOffset, keyLength)) {\n                    return true;",
                    "keyOffset, keyLength)) {\n                    return false;"),
            crash(),
            test("MergeSafetyTest.aTombstoneStaysWhileAnOlderFileHasTheKey")),
    INPUTS_DELETED_BEFORE_THE_MANIFEST(
            engine(
                    "merge/MergeRound",
                    "            commit();\n            switchIndex();\n",
                    "            switchIndex();\n            retireInputs();\n            commit();\n",
                    "endOutputs(failure);\n        }\n        MemoryWait.retry(retiring);",
                    "endOutputs(failure);\n        }"),
            crash()),
    INPUTS_DELETED_BEFORE_THE_MANIFEST_IS_FORCED(
            engine(
                    "log/file/Manifest",
                    "        append(words, beforeWriting);\n        appendHints(sums);\n        force();\n",
                    "        append(words, beforeWriting);\n        appendHints(sums);\n"),
            crash()),
    HINT_TRUSTED(
            engine(
                    "log/hint/HintFile",
                    "return sound ? length - overhead(data) : -1;",
                    "return length - overhead(data);"),
            test("DamageTest.noFlippedBitGivesAWrongAnswer")),
    HINT_OF_ANOTHER_SUM_TRUSTED(
            engine(
                    "log/hint/HintFile",
                    "BlockSums.sum(header, last) != data.hintSum()",
                    "BlockSums.sum(header, last) == 0"),
            test("LyingCachesTest.aHintFileThatTheManifestDoesNotKnowIsNotRead")),
    IMAGE_OF_ANOTHER_SUM_TRUSTED(
            engine(
                    "log/image/ImageFile",
                    "FileHeader.checksum(header) == (int) (image.sum() >>> Integer.SIZE)",
                    "FileHeader.checksum(header) != 0",
                    "BlockSums.sum(header, block) != image.sum()",
                    "BlockSums.sum(header, block) == 0"),
            test("LyingCachesTest.anImageThatTheManifestDoesNotKnowIsNotRead")),
    DROPPED_BY_THE_WORD_OF_A_CACHE(
            engine(
                    "merge/MergeRound",
                    "} else if (isProofNeeded) {",
                    "} else if (isProofNeeded && outputs.size() < 0) {"),
            test("LyingCachesTest.noMergeDeletesByTheWordOfAnImage"),
            test("LyingCachesTest.noMergeDeletesByTheWordOfHintFiles")),
    ACKNOWLEDGED_ALTHOUGH_THE_APPEND_FAILED(
            engine(
                    "write/Writes",
                    "throw store.failedAppend(e);\n        }\n        try {\n            store.snapshots.appended(locator);",
                    "return log.position();\n        }\n        try {\n            store.snapshots.appended(locator);"),
            test("FaultTest.everyCallOfAShortLifeMayFail")),
    TAIL_BELIEVED_FROM_THE_PAGE_CACHE(
            engine("log/tail/TailRecovery", "            handle.write(offset, chunk, 0, length);\n", ""),
            crash(),
            test("KnownFaultsTest.aTailThatAFailedForceLeftInThePageCacheIsWrittenAnew")),
    MERGE_DROPS_A_DURABLE_VALUE_FOR_A_CACHED_ONE(
            engine("merge/MergeRound", "syncWritten();\n        List<LogSegment> files", "List<LogSegment> files"),
            test("MergeSafetyTest.aRecordGoesOnlyWhenThePutThatSupersedesItIsDurable")),
    TORN_TAIL_APPENDED_BEHIND(
            engine(
                    "log/segmented/LogOpening",
                    "recovery.makeDurable(writable, physicalLength);",
                    "recovery.makeDurable(writable, 0);\n                file.extendTo(physicalLength & -8);"),
            crash()),
    FAILED_FORCE_RETRIED_AT_ONCE(
            engine("log/append/GroupCommit", "            return force.force();\n", """
                        try {
                            return force.force();
                        } catch (IOException e) {
                            return force.force();
                        }
            """),
            engine(
                    "log/segmented/LogForce",
                    "                options.onFailure().accept(e);\n                throw e;",
                    "                throw e;"),
            test("FaultTest.everyCallOfAShortLifeMayFail")),
    FAILED_FORCE_RETRIED_BY_THE_NEXT_SYNC(
            engine(
                    "log/append/GroupCommit",
                    "                failed = e;\n            }\n        } finally {",
                    "            }\n        } finally {"),
            engine(
                    "log/segmented/LogForce",
                    "                options.onFailure().accept(e);\n                throw e;",
                    "                throw e;"),
            test("FaultTest.everyCallOfAShortLifeMayFail")),
    FILE_NUMBER_USED_AGAIN_BY_A_MERGE(
            engine(
                    "log/file/FileNumbers",
                    "        highest = first + count - 1;\n",
                    "        highest = count == 1 ? first : highest;\n"),
            crash()),
    FILE_NUMBER_USED_AGAIN_AFTER_A_RECOVERY(
            engine(
                    "log/segmented/LogOpening",
                    "                highestId = Math.max(highestId, FileNames.id(name));\n",
                    ""),
            crash()),
    FILE_NUMBER_OF_A_LEFTOVER_USED_AGAIN(
            engine(
                    "log/segmented/LogOpening",
                    "                highestId = Math.max(highestId, FileNames.id(name));\n",
                    "",
                    "        lastLogId = tail.lastLogId();\n",
                    "        lastLogId = tail.lastLogId();\n        highestId = Math.max(highestId, lastLogId);\n"),
            test("KnownFaultsTest.filesThatRecoveryDroppedDoNotComeBack")),
    ACCESS_ENDED_BEFORE_READERS_HAVE_A_HANDLE(
            engine(
                    "log/segmented/Sealer",
                    "            if (!each.file.hasReadersHandle()) {",
                    "            each.file.writable().endAccess();\n            if (!each.file.hasReadersHandle()) {"),
            test("FaultTest.everyCallOfAShortLifeMayFail")),
    LOCK_LOST_BY_A_SECOND_DESCRIPTOR(
            standardIo(
                    "DirectoryLock",
                    "        Path file = directory.resolve(LOCK_FILE);\n        synchronized (MONITOR) {",
                    """
                    Path file = directory.resolve(LOCK_FILE);
                    if (Files.exists(file)) {
                        FileChannel.open(file, StandardOpenOption.READ).close();
                    }
                    synchronized (MONITOR) {"""),
            lock("writerKeepsOtherProcessesOut")),
    BODY_NOT_VERIFIED(
            engine(
                    "log/read/LocatorReader",
                    "bodyChecksum(record, from);\n        if ((int) crc.getValue() != expected) {",
                    "bodyChecksum(record, from);\n        if (expected != expected) {",
                    "bodyChecksum(buffer, at);\n        if ((int) crc.getValue() != expected) {",
                    "bodyChecksum(buffer, at);\n        if (expected != expected) {"),
            test("DamageTest.noFlippedBitGivesAWrongAnswer")),
    MOSS_SHOWS_DELETED(
            moss("memory/Probe", "        state = Kind.DELETE;\n", ""),
            mossTest("TenFaultsTest.aDeletedKeysOldValueDoesNotShowWhileItLiesInALowerSection")),
    MOSS_IGNORES_THE_BASE_OF_OPERANDS(
            moss(
                    "View",
                    "            if (probe.isDone()) {\n                probe.resolve",
                    "            if (probe.isDone() || probe.hasOperands()) {\n                probe.resolve"),
            mossTest("TenFaultsTest.aMergedKeysBaseCountsWhileItLiesInALowerSection")),
    MOSS_DOES_NOT_DRAIN_WHEN_CLOSED(
            moss(
                    "MossEngine",
                    "if (isDraining && isPersistent && cause == null)",
                    "if (isDraining && !isPersistent && cause == null)"),
            mossTest("TenFaultsTest.aCloseRightAfterAWriteKeepsIt")),
    MOSS_SWALLOWS_FAILED_WRITES(
            moss(
                    "file/SortedFileWriter",
                    "            file.write(written, pending.bytes(), 0, pending.length());\n",
                    "            try { file.write(written, pending.bytes(), 0, pending.length()); } catch (IOException e) { }\n"),
            mossTest("TenFaultsTest.aWriteThatFailsDuringACompactionLosesNothingAndIsTold")),
    MOSS_OPENS_WHAT_NO_MANIFEST_LISTS(
            moss(
                    "FileStore",
                    "            next = Math.max(next",
                    "            if (FileNames.sortedNumber(name) >= 0) SortedFile.open(io, manifest.storeId(), FileNames.sortedNumber(name), 96);\n            next = Math.max(next"),
            mossTest("TenFaultsTest.anEmptyFileBesideAGoodOneDoesNotKeepTheStoreFromOpening")),
    MOSS_CHECKS_NO_SUM(
            moss("file/SortedFile", "if (expected != found) {", "if (expected != found && end < 0) {"),
            mossTest("TenFaultsTest.aFlippedByteOfAValueIsAnErrorAndNoValue")),
    MOSS_CHANGES_A_STORE_THAT_IS_READ_ONLY(
            moss(
                    "Opening",
                    "            if (!settings.isReadOnly()) {\n                store.persister.drain();",
                    "            if (settings != null) {\n                store.persister.drain();"),
            mossTest("TenFaultsTest.aReadOnlyOpenDeletesAndChangesNothing")),
    MOSS_TAKES_NO_LOCK(
            moss(
                    "Opening",
                    "IoManager.Lock lock = io.lock(!settings.isReadOnly());",
                    "IoManager.Lock lock = () -> {};"),
            mossTest("TenFaultsTest.aSecondOpenOfADirectoryIsRefused")),
    MOSS_SHOWS_A_KEY_TWICE(
            moss(
                    "memory/MemTable",
                    "            while (after != END && hasKey(list, after, keySource, keyOffset, keyLength)) {\n                after = link(list, after, 0);\n            }\n            next = after;",
                    "            next = after;"),
            mossTest("TenFaultsTest.aKeyThatComesTwiceInABatchHasItsLastValueOnce")),
    MOSS_LETS_ONE_LIMIT_CLEAR_ANOTHER(
            moss(
                    "MossBuilder",
                    "        this.persistBytes = bytes;",
                    "        this.persistBytes = bytes; this.maxMemoryBytes = 1 << 16;"),
            mossTest("TenFaultsTest.aLimitThatIsNotSetDoesNotCountAsZero")),
    MOSS_LOG_NOT_FORCED(
            moss("WriteLog", "                    file.force();\n", "                    file.length();\n"),
            mossTest("MossCrashTest.aCrashBeforeAnyCallLosesNothingThatWasPromised")),
    MOSS_MANIFEST_NOT_FORCED(
            moss("file/Manifest", "            file.force();\n", ""),
            mossTest("MossCrashTest.aCrashBeforeAnyCallLosesNothingThatWasPromised")),
    MOSS_HALF_A_BATCH_PERSISTED(
            moss(
                    "Persister",
                    "        while (from > 0 && !stack.layers[from].endsBatch()) {",
                    "        while (from < 0) {"),
            mossTest("MossCrashTest.aCrashBeforeAnyCallLosesNothingThatWasPromised")),
    MOSS_GAP_BEFORE_A_DURABLE_WRITE(
            moss(
                    "WriteLog",
                    "            if (logged >= stack.active.firstVersion() - 1) {",
                    "            if (logged >= -1) {"),
            mossTest("MossCrashTest.aCrashBeforeAnyCallLosesNothingThatWasPromised")),
    MOSS_PROGRESS_APART_FROM_THE_DATA(
            moss(
                    "EngineBottom",
                    "        batch.put(KeySpace.PROGRESS, progress(storeId, last));\n        write(batch, last);",
                    "        lower.write(batch, WriteOptions.SYNC);\n        lower.write(new WriteBatch().put(KeySpace.PROGRESS, progress(storeId, last)), WriteOptions.SYNC);"),
            mossTest("LowerLevelTest.aCrashLosesNothingAndAppliesNoOperandTwice")),
    MOSS_BELIEVES_A_LOWER_LEVEL_THAT_THREW(
            moss("EngineBottom", "            if (!isApplied(last, e)) {", "            if (last > 0) {"),
            mossTest("LowerLevelTest.aLowerLevelThatThrewAfterItHadWrittenGetsNoOperandTwice")),
    MOSS_REVERTS_AND_THINKS_THE_OPERATOR_NOTED(
            moss("BatchPlan", "        isOperatorNoted = false;\n", ""),
            mossTest("CheckpointTest.anOperandAfterARevertToBeforeTheFirstOneNotesItsOperatorAgain")),
    MOSS_TOKEN_WAITS_FOR_THE_LOG(
            moss("Persister", "            store.durables().advance(below());\n", ""),
            mossTest("CommitTokenTest.aTokenEndsThoughTheLogThatHadItCannotBeRemoved")),
    MOSS_THREADS_STAY_WHEN_ONE_CANNOT_START(
            moss(
                    "MossEngine",
                    "            markClosed();\n            join();\n            throw e;",
                    "            throw e;"),
            mossTest("ThreadsTest.aDirectoryCanBeOpenedAgainAfterAThreadCouldNotBeStarted")),
    MOSS_ROOM_IS_TAKEN_TWICE(
            moss("Pressure", "        if (store.dirtyBytes() + bytes <= most) {", "        if (bytes <= most) {"),
            mossTest("PressureTest.writersAtOnceDoNotPassTheBoundOfMemory")),
    MOSS_LEAVES_A_FAILED_WRITE_IN_THE_LOG(
            moss("WriteLog", "                file.undo();\n", ""),
            mossTest("WantOfMemoryTest.aWriteThatTheLogHadNoMemoryForIsNotThereNorComesBack")),
    MOSS_DELETES_A_FILE_THAT_THE_MANIFEST_ON_DISK_MAY_LIST(
            moss(
                    "FileStore",
                    "        } catch (OutOfMemoryError e) {\n",
                    "        } catch (OutOfMemoryError e) {\n            if (added != null) { open.remove(added.number()); added.retire(); added.release(); }\n"),
            mossTest("WantOfMemoryTest.aFlushThatRanOutOfMemoryIsMadeByTheNextOneAndNoOperandCountsTwice")),
    MOSS_ENDS_FOR_WANT_OF_MEMORY(
            moss(
                    "Persister",
                    "cause instanceof Error && !(cause instanceof OutOfMemoryError)",
                    "cause instanceof Error"),
            mossTest("WantOfMemoryTest.aFlushThatRanOutOfMemoryIsMadeByTheNextOneAndNoOperandCountsTwice")),
    MOSS_KEEPS_OLD_CHECKPOINTS(
            moss("Retention", "clock.millis() - checkpoint.millis() > millis;", "clock.millis() < 0;"),
            mossTest("CheckpointTest.checkpointsGoWhenTheyAreOlderThanTheirAgeAndTheNewestStays")),
    MOSS_SHORT_LOG_BELIEVED(
            moss("file/LogReader", "if (witness > last) {", "if (witness < 0) {"),
            mossTest("DamageTest.noChangedByteGivesAWrongAnswer"));

    private static final String ENGINE = "dev.caskwright.bitcask";
    private static final String STANDARD_IO = "dev.caskwright.io.standard";
    private static final String MOSS = "dev.caskwright.moss";

    /** What is changed in a source: its module, its path there, and pairs of what stands there and what comes instead. */
    record Change(String module, String source, List<String> texts) implements Part {}

    /** A test that must notice. */
    record Suite(String type, String method) implements Part {}

    /** Part of the description of a bug. */
    private interface Part {}

    private final List<Change> changes = new ArrayList<>();
    private final List<Suite> suites = new ArrayList<>();

    Bug(Part... parts) {
        for (Part part : parts) {
            if (part instanceof Change change) {
                changes.add(change);
            } else {
                suites.add((Suite) part);
            }
        }
    }

    List<Change> changes() {
        return changes;
    }

    List<Suite> suites() {
        return suites;
    }

    private static Change engine(String source, String... texts) {
        return new Change("engine-bitcask", ENGINE.replace('.', '/') + "/" + source, List.of(texts));
    }

    private static Change standardIo(String source, String... texts) {
        return new Change("io-standard", STANDARD_IO.replace('.', '/') + "/" + source, List.of(texts));
    }

    private static Change moss(String source, String... texts) {
        return new Change("engine-moss", MOSS.replace('.', '/') + "/" + source, List.of(texts));
    }

    private static Suite mossTest(String name) {
        String[] parts = name.split("\\.");
        return new Suite(MOSS + "." + parts[0], parts[1]);
    }

    private static Suite crash() {
        return test("CrashTest.shortLivesSurviveEveryCrash");
    }

    private static Suite test(String name) {
        int end = name.lastIndexOf('.');
        return new Suite(ENGINE + "." + name.substring(0, end), name.substring(end + 1));
    }

    private static Suite lock(String method) {
        return new Suite("dev.caskwright.io.standard.StandardIoManagerTest", method);
    }
}
