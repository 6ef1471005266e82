//go:build original

package main

import bolt "github.com/boltdb/bolt"

type (
	DB      = bolt.DB
	Tx      = bolt.Tx
	Bucket  = bolt.Bucket
	Options = bolt.Options
)

var Open = bolt.Open
