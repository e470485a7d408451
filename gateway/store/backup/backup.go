package backup

import (
	"time"

	"github.com/yilian/yilian/gateway/fault"
)

// Version is the version of the format that this program writes and reads.
const Version = 1

const (
	magic       = "yilian backup\n"
	sumBytes    = 32
	maxManifest = 1 << 20
	maxName     = 1 << 10
	// piece is how sections are cut; maxPiece bounds what is read of others'.
	piece    = 256 << 10
	maxPiece = 1 << 20
	// maxWindow bounds the memory of the decompression.
	maxWindow = 64 << 20
)

// Manifest says what a backup is of.
type Manifest struct {
	Store   string    `json:"store"`  // kind of the store: Sqlite, Postgres
	Schema  int64     `json:"schema"` // version of its schema
	Made    time.Time `json:"made"`
	Program string    `json:"program,omitempty"` // version of the program that made it
	// Tables are the tables in the order of their sections, where sections are tables.
	Tables []Table `json:"tables,omitempty"`
}

// Table is a table and its columns, in order.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// Kinds of stores.
const (
	Sqlite   = "sqlite"
	Postgres = "postgres"
)

var (
	errForeign = fault.New(fault.Invalid, "the file is no backup")
	errDamaged = fault.New(fault.Invalid, "the backup is damaged: it was cut or changed since it was written")
)
