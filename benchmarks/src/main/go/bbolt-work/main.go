// Does the work of the bolt comparison on a real bbolt, and prints "name value" lines: operations a second, unless the name says
// otherwise. Keys, values and orders are those of the Java side (BoltWork).
//
//	bbolt-work DIRECTORY KEYS SMALL WORK,WORK...
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	bolt "go.etcd.io/bbolt"
)

const (
	keyLength       = 16
	valueLength     = 100
	perCommit       = 10000
	passes          = 3
	commits         = 5000
	warmingCommits  = 10000
	forcedCommits   = 200
	batchThreads    = 64
	batchPerThread  = 100
	overwriteRounds = 10
)

var bucketName = []byte("data")

func key(i int) []byte {
	bytes := make([]byte, keyLength)
	for at := keyLength - 1; at >= 0; at-- {
		bytes[at] = byte('0' + i%10)
		i /= 10
	}
	return bytes
}

func mix(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

func value(i, generation int) []byte {
	bytes := make([]byte, valueLength)
	state := uint64(i)*0x9E3779B97F4A7C15 + uint64(generation)
	var word [8]byte
	for at := 0; at < valueLength; at += 8 {
		state = mix(state + 0x9E3779B97F4A7C15)
		binary.BigEndian.PutUint64(word[:], state)
		copy(bytes[at:], word[:])
	}
	return bytes
}

func shuffled(count int, seed uint64) []int {
	order := make([]int, count)
	for i := range order {
		order[i] = i
	}
	state := seed
	for i := count - 1; i > 0; i-- {
		state = mix(state + 0x9E3779B97F4A7C15)
		j := int((state >> 1) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(path string, forces bool) *bolt.DB {
	return openMapped(path, forces, 0)
}

func openMapped(path string, forces bool, mapped int) *bolt.DB {
	db, err := bolt.Open(path, 0600, &bolt.Options{
		NoSync: !forces, NoGrowSync: !forces, FreelistType: bolt.FreelistMapType, InitialMmapSize: mapped})
	must(err)
	must(db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketName)
		return err
	}))
	return db
}

func load(db *bolt.DB, order []int, generation int, fill float64) {
	for from := 0; from < len(order); from += perCommit {
		to := from + perCommit
		if to > len(order) {
			to = len(order)
		}
		must(db.Update(func(tx *bolt.Tx) error {
			bucket := tx.Bucket(bucketName)
			if fill > 0 {
				bucket.FillPercent = fill
			}
			for _, i := range order[from:to] {
				if err := bucket.Put(key(i), value(i, generation)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func report(name string, count int, took time.Duration) {
	fmt.Printf("%s %.1f\n", name, float64(count)/took.Seconds())
}

func median(took []time.Duration) time.Duration {
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return took[len(took)/2]
}

func repeat(name string, count int, pass func()) {
	pass()
	took := make([]time.Duration, passes)
	processor := make([]time.Duration, passes)
	for i := range took {
		before := processorTime()
		start := time.Now()
		pass()
		took[i] = time.Since(start)
		processor[i] = processorTime() - before
	}
	report(name, count, median(took))
	report(name+"-by-processor-time", count, median(processor))
}

// processorTime returns how long this thread has had a processor: less noisy than the clock where the machine has other work.
func processorTime() time.Duration {
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID
	var now syscall.Timespec
	_, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0)
	if failed != 0 {
		must(failed)
	}
	return time.Duration(now.Nano())
}

// besideReader loads while a reader is open that began before, and as much without it. The map is large from the start: a bbolt
// that must make it larger waits until there is no reader.
func besideReader(directory string, small int) {
	for _, isHeld := range []bool{false, true} {
		path := filepath.Join(directory, "reader")
		db := openMapped(path, false, 1<<30)
		load(db, shuffled(small, 6), 0, 0)
		name := "load-beside-no-reader"
		var reader *bolt.Tx
		if isHeld {
			name = "load-beside-a-reader"
			begun, err := db.Begin(false)
			must(err)
			reader = begun
		}
		start := time.Now()
		load(db, shuffled(small, 7), 1, 0)
		load(db, shuffled(small, 8), 2, 0)
		report(name, 2*small, time.Since(start))
		if reader != nil {
			must(reader.Rollback())
		}
		must(db.Close())
		must(os.Remove(path))
	}
}

// compact writes what a database has to a new file with full pages, and returns how long that is.
func compact(db *bolt.DB, path string) int64 {
	target, err := bolt.Open(path, 0600, &bolt.Options{NoSync: true, NoGrowSync: true})
	must(err)
	must(bolt.Compact(target, db, 8<<20))
	result := length(target)
	must(target.Close())
	must(os.Remove(path))
	return result
}

// length returns the length of the file without space that was never used.
func length(db *bolt.DB) int64 {
	var length int64
	must(db.View(func(tx *bolt.Tx) error {
		length = tx.Size()
		return nil
	}))
	return length
}

func written() int64 {
	text, err := os.ReadFile("/proc/self/io")
	must(err)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "wchar: ") {
			bytes, err := strconv.ParseInt(line[len("wchar: "):], 10, 64)
			must(err)
			return bytes
		}
	}
	return 0
}

var sink uint64

func main() {
	directory := os.Args[1]
	keys, err := strconv.Atoi(os.Args[2])
	must(err)
	small, err := strconv.Atoi(os.Args[3])
	must(err)
	works := map[string]bool{}
	for _, work := range strings.Split(os.Args[4], ",") {
		works[work] = true
	}
	runtime.LockOSThread()
	order := shuffled(keys, 1)
	inOrder := make([]int, keys)
	for i := range inOrder {
		inOrder[i] = i
	}

	warm := open(filepath.Join(directory, "warm"), false)
	load(warm, shuffled(small, 2), 0, 0)
	must(warm.Close())

	if works["load-in-order"] {
		path := filepath.Join(directory, "ordered")
		db := open(path, false)
		start := time.Now()
		load(db, inOrder, 0, 0)
		report("load-in-order", keys, time.Since(start))
		must(db.Close())
		must(os.Remove(path))
	}

	path := filepath.Join(directory, "random")
	db := open(path, false)
	processor := processorTime()
	start := time.Now()
	load(db, order, 0, 0)
	report("load-random", keys, time.Since(start))
	report("load-random-by-processor-time", keys, processorTime()-processor)
	fmt.Printf("size-after-load %d\n", length(db))

	wanted := shuffled(keys, 3)
	wantedKeys := make([][]byte, keys)
	for i, each := range wanted {
		wantedKeys[i] = key(each)
	}
	if works["get"] {
		repeat("get", keys, func() {
			must(db.View(func(tx *bolt.Tx) error {
				bucket := tx.Bucket(bucketName)
				for _, each := range wantedKeys {
					found := bucket.Get(each)
					copied := make([]byte, len(found))
					copy(copied, found)
					sink += uint64(copied[0])
				}
				return nil
			}))
		})
		repeat("get-in-transactions", keys, func() {
			for _, each := range wantedKeys {
				must(db.View(func(tx *bolt.Tx) error {
					found := tx.Bucket(bucketName).Get(each)
					copied := make([]byte, len(found))
					copy(copied, found)
					sink += uint64(copied[0])
					return nil
				}))
			}
		})
	}
	if works["scan"] {
		repeat("scan-in-place", keys, func() {
			must(db.View(func(tx *bolt.Tx) error {
				cursor := tx.Bucket(bucketName).Cursor()
				for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
					sink += uint64(len(k)) + binary.BigEndian.Uint64(k[8:]) + uint64(len(v)) + binary.BigEndian.Uint64(v)
				}
				return nil
			}))
		})
		repeat("scan-copied", keys, func() {
			must(db.View(func(tx *bolt.Tx) error {
				cursor := tx.Bucket(bucketName).Cursor()
				for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
					copiedKey := append([]byte(nil), k...)
					copied := append([]byte(nil), v...)
					sink += uint64(copiedKey[15]) + uint64(copied[0])
				}
				return nil
			}))
		})
	}
	if works["commit"] {
		one := func(n int) {
			i := wanted[n%keys]
			must(db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket(bucketName).Put(key(i), value(i, 1))
			}))
		}
		for i := 0; i < warmingCommits; i++ {
			one(i)
		}
		before := written()
		start := time.Now()
		for i := 0; i < commits; i++ {
			one(i)
		}
		report("commit", commits, time.Since(start))
		fmt.Printf("commit-bytes %.1f\n", float64(written()-before)/commits)
	}
	must(db.Close())
	must(os.Remove(path))

	if works["forced"] {
		path := filepath.Join(directory, "forced")
		db := open(path, true)
		load(db, shuffled(small, 4), 0, 0)
		start := time.Now()
		for i := 0; i < forcedCommits; i++ {
			must(db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket(bucketName).Put(key(i), value(i, 1))
			}))
		}
		report("commit-forced", forcedCommits, time.Since(start))
		start = time.Now()
		var group sync.WaitGroup
		for thread := 0; thread < batchThreads; thread++ {
			group.Add(1)
			go func(thread int) {
				defer group.Done()
				for i := 0; i < batchPerThread; i++ {
					n := thread*batchPerThread + i
					must(db.Batch(func(tx *bolt.Tx) error {
						return tx.Bucket(bucketName).Put(key(n), value(n, 2))
					}))
				}
			}(thread)
		}
		group.Wait()
		report("batch-forced-64", batchThreads*batchPerThread, time.Since(start))
		must(db.Close())
		must(os.Remove(path))
	}
	if works["overwrite"] {
		path := filepath.Join(directory, "overwritten")
		db := open(path, false)
		load(db, shuffled(small, 5), 0, 0)
		for round := 1; round <= overwriteRounds; round++ {
			load(db, shuffled(small, uint64(5+round)), round, 0)
		}
		fmt.Printf("size-after-overwriting %d\n", length(db))
		fmt.Printf("size-after-compaction %d\n", compact(db, filepath.Join(directory, "compact")))
		must(db.Close())
	}
	if works["reader"] {
		besideReader(directory, small)
	}
}
