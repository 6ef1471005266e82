//go:build !original

package main

import bolt "go.etcd.io/bbolt"

type (
	DB      = bolt.DB
	Tx      = bolt.Tx
	Bucket  = bolt.Bucket
	Options = bolt.Options
)

var Open = bolt.Open
