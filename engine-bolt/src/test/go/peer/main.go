// A small program over the real bbolt, or over the original Bolt (build tag "original"), for tests of the Java engine that shares
// their files.
//
//	peer check FILE    prints each problem that bbolt's own check finds, then "checked"
//	peer dump FILE     prints every bucket, key and value, in order
//	peer apply FILE    reads changes from standard input and commits them
//	peer hold FILE     opens the file for writing, prints "held", and keeps it until its input ends
//	peer try FILE      opens the file for writing within a second, and prints "open" or "refused"
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: peer check|dump|apply|hold|try FILE"))
	}
	switch os.Args[1] {
	case "check":
		check(open(&Options{ReadOnly: true}))
	case "dump":
		dump(open(&Options{ReadOnly: true}))
	case "apply":
		apply(open(&Options{Timeout: 10 * time.Second}))
	case "hold":
		db := open(&Options{Timeout: 10 * time.Second})
		fmt.Println("held")
		io.Copy(io.Discard, os.Stdin)
		db.Close()
	case "try":
		db, err := Open(os.Args[2], 0600, &Options{Timeout: time.Second})
		if err != nil {
			fmt.Println("refused")
			return
		}
		db.Close()
		fmt.Println("open")
	default:
		fail(fmt.Errorf("unknown command: %s", os.Args[1]))
	}
}

func open(options *Options) *DB {
	db, err := Open(os.Args[2], 0600, options)
	if err != nil {
		fail(err)
	}
	return db
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peer:", err)
	os.Exit(1)
}

func check(db *DB) {
	defer db.Close()
	err := db.View(func(tx *Tx) error {
		for problem := range tx.Check() {
			fmt.Println("problem:", problem)
		}
		return nil
	})
	if err != nil {
		fail(err)
	}
	fmt.Println("checked")
}

func dump(db *DB) {
	defer db.Close()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	err := db.View(func(tx *Tx) error {
		return tx.ForEach(func(name []byte, b *Bucket) error {
			return dumpBucket(out, hex.EncodeToString(name), b)
		})
	})
	if err != nil {
		fail(err)
	}
}

func dumpBucket(out io.Writer, path string, b *Bucket) error {
	fmt.Fprintf(out, "bucket %s %d\n", path, b.Sequence())
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return dumpBucket(out, path+"/"+hex.EncodeToString(k), b.Bucket(k))
		}
		fmt.Fprintf(out, "%s %s=%s\n", path, hex.EncodeToString(k), hex.EncodeToString(v))
		return nil
	})
}

// apply understands "put PATH KEY VALUE", "delete PATH KEY", "create PATH", "drop PATH", "sequence PATH NUMBER" and "commit";
// a path is names in hexadecimal, joined by slashes, and a dash stands for an empty value.
func apply(db *DB) {
	defer db.Close()
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	tx, err := db.Begin(true)
	if err != nil {
		fail(err)
	}
	for {
		line, readErr := in.ReadString('\n')
		line = strings.TrimSpace(line)
		if line == "commit" {
			if err := tx.Commit(); err != nil {
				fail(err)
			}
			if tx, err = db.Begin(true); err != nil {
				fail(err)
			}
		} else if line != "" {
			if err := change(tx, strings.Fields(line)); err != nil {
				fail(fmt.Errorf("%s: %w", line, err))
			}
		}
		if readErr != nil {
			break
		}
	}
	tx.Rollback()
	fmt.Println("applied")
}

func change(tx *Tx, words []string) error {
	names := path(words[1])
	switch words[0] {
	case "create":
		if len(names) == 1 {
			_, err := tx.CreateBucket(names[0])
			return err
		}
		_, err := bucket(tx, names[:len(names)-1]).CreateBucket(names[len(names)-1])
		return err
	case "drop":
		if len(names) == 1 {
			return tx.DeleteBucket(names[0])
		}
		return bucket(tx, names[:len(names)-1]).DeleteBucket(names[len(names)-1])
	case "put":
		return bucket(tx, names).Put(decode(words[2]), decode(words[3]))
	case "delete":
		return bucket(tx, names).Delete(decode(words[2]))
	case "sequence":
		number, err := strconv.ParseUint(words[2], 10, 64)
		if err != nil {
			return err
		}
		return bucket(tx, names).SetSequence(number)
	}
	return fmt.Errorf("unknown change")
}

func bucket(tx *Tx, names [][]byte) *Bucket {
	b := tx.Bucket(names[0])
	for _, name := range names[1:] {
		b = b.Bucket(name)
	}
	return b
}

func path(text string) [][]byte {
	var names [][]byte
	for _, name := range strings.Split(text, "/") {
		names = append(names, decode(name))
	}
	return names
}

func decode(text string) []byte {
	if text == "-" {
		return []byte{}
	}
	bytes, err := hex.DecodeString(text)
	if err != nil {
		fail(err)
	}
	return bytes
}
