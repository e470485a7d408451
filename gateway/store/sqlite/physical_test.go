package sqlite_test

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/storetest"
)

// design is one way to keep index values physically. All have the same resources and versions.
type design struct {
	name   string
	tables string
	hashed bool // a keyed hash of parameter and text leads to the resource, else the text does
	held   bool // the values stand on the resource's row, else a second index leads from the resource to them
	sorted bool // the rows of a commit go in together, in the order of their keys
	packed bool // bodies are compressed
	page   int  // bytes, 8192 by default
}

const (
	physicalBase = `
CREATE TABLE resource (rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, change INTEGER NOT NULL,
	updated INTEGER NOT NULL, deleted INTEGER NOT NULL, owner INTEGER NOT NULL, patient TEXT NOT NULL, source TEXT NOT NULL, held BLOB);
CREATE UNIQUE INDEX resource_id ON resource (type, id);
CREATE INDEX resource_type ON resource (type) WHERE deleted = 0;
CREATE INDEX resource_updated ON resource (type, updated) WHERE deleted = 0;
CREATE INDEX resource_patient ON resource (patient, type) WHERE deleted = 0 AND patient <> '';
CREATE INDEX resource_source ON resource (type, source) WHERE deleted = 0 AND source <> '';
CREATE TABLE version (change INTEGER PRIMARY KEY, rid INTEGER NOT NULL, number INTEGER NOT NULL, updated INTEGER NOT NULL,
	owner INTEGER NOT NULL, patient TEXT NOT NULL, source TEXT NOT NULL, body BLOB);
CREATE UNIQUE INDEX version_number ON version (rid, number);
`
	physicalText = physicalBase + `
CREATE TABLE index_key (pid INTEGER NOT NULL, text TEXT NOT NULL, rid INTEGER NOT NULL, space INTEGER NOT NULL, form INTEGER NOT NULL,
	grp INTEGER NOT NULL, PRIMARY KEY (pid, text, rid, space, form, grp)) WITHOUT ROWID;
CREATE TABLE index_date (pid INTEGER NOT NULL, class INTEGER NOT NULL, low INTEGER NOT NULL, rid INTEGER NOT NULL, high INTEGER NOT NULL,
	PRIMARY KEY (pid, class, low, rid, high)) WITHOUT ROWID;
CREATE TABLE index_number (pid INTEGER NOT NULL, value REAL NOT NULL, rid INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
	PRIMARY KEY (pid, value, rid, low, high)) WITHOUT ROWID;
`
	physicalRID = physicalText + `
CREATE INDEX index_key_rid ON index_key (rid, pid);
CREATE INDEX index_date_rid ON index_date (rid, pid);
CREATE INDEX index_number_rid ON index_number (rid, pid);
`
	physicalHash = physicalBase + `
CREATE TABLE index_key (key INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (key, rid)) WITHOUT ROWID;
CREATE TABLE index_date (pid INTEGER NOT NULL, class INTEGER NOT NULL, low INTEGER NOT NULL, rid INTEGER NOT NULL,
	PRIMARY KEY (pid, class, low, rid)) WITHOUT ROWID;
CREATE TABLE index_number (pid INTEGER NOT NULL, value REAL NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (pid, value, rid)) WITHOUT ROWID;
`
)

var designs = []design{
	{name: "text+rid", tables: physicalRID},
	{name: "text+held", tables: physicalText, held: true},
	{name: "hash+held", tables: physicalHash, hashed: true, held: true},
	{name: "hash+held+sorted", tables: physicalHash, hashed: true, held: true, sorted: true},
	{name: "hash+held+sorted+packed", tables: physicalHash, hashed: true, held: true, sorted: true, packed: true},
	{name: "hash+held+sorted+packed+4k", tables: physicalHash, hashed: true, held: true, sorted: true, packed: true, page: 4096},
}

type keyRow struct {
	key  int64
	pid  int
	text string
	rid  int64
	more int
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPhysicalDesign fills each design in commits of 25 pairs of resources, and says what that costs.
// YILIAN_TEST_PHYSICAL sets how many resources; one round is enough (-benchtime 1x).
func BenchmarkPhysicalDesign(b *testing.B) {
	size := 100_000
	if text := os.Getenv("YILIAN_TEST_PHYSICAL"); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for _, d := range designs {
		b.Run(d.name, func(b *testing.B) { d.bench(b, size) })
	}
}

func (d *design) bench(b *testing.B, size int) {
	dir := b.TempDir()
	path := filepath.Join(dir, "physical.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=page_size("+strconv.Itoa(cmp.Or(d.page, 8192))+")&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(d.tables); err != nil {
		b.Fatal(err)
	}
	stmts := map[string]*sql.Stmt{}
	exec := func(sql string, args ...any) {
		st := stmts[sql]
		if st == nil {
			if st, err = db.Prepare(sql); err != nil {
				b.Fatal(err)
			}
			stmts[sql] = st
		}
		if _, err := st.Exec(args...); err != nil {
			b.Fatal(err)
		}
	}
	seed := maphash.MakeSeed()
	const perCommit = 50
	began, used := time.Now(), processorTime()
	var keys []keyRow
	flush := func() {
		width := 6
		insert := "INSERT OR IGNORE INTO index_key (pid, text, rid, space, form, grp) VALUES (?, ?, ?, ?, 0, 0)"
		if d.hashed {
			width = 2
			insert = "INSERT OR IGNORE INTO index_key (key, rid) VALUES (?, ?)"
		}
		if d.sorted {
			slices.SortFunc(keys, func(a, b keyRow) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.rid, b.rid)) })
		}
		_, tail, _ := strings.Cut(insert, "VALUES ")
		many := insert + strings.Repeat(", "+tail, 7)
		var args []any
		for len(keys) > 0 {
			n, sql := 1, insert
			if len(keys) >= 8 {
				n, sql = 8, many
			}
			args = args[:0]
			for _, k := range keys[:n] {
				if width == 2 {
					args = append(args, k.key, k.rid)
				} else {
					args = append(args, k.pid, k.text, k.rid, k.more)
				}
			}
			exec(sql, args...)
			keys = keys[n:]
		}
	}
	for n := 0; n < size; n += perCommit {
		exec("BEGIN IMMEDIATE")
		for i := n; i < min(n+perCommit, size); i++ {
			p := storetest.Observation(i)
			rid := int64(i + 1)
			add := func(pid int, text string, more int) {
				keys = append(keys, keyRow{int64(maphash.String(seed, text) ^ uint64(pid)*0x9e3779b97f4a7c15), pid, text, rid, more})
			}
			from := len(keys)
			for j, t := range p.Values.Tokens {
				add(10+j, t.Code, 20+j)
			}
			for j, r := range p.Values.References {
				add(30+j, r.ID, 3)
			}
			at, q := p.Values.Dates[0], p.Values.Quantities[0]
			var held []byte
			if d.held {
				held = physicalHeld(p, keys[from:])
			}
			body := p.Render(1, time.UnixMicro(int64(i)))
			if d.packed {
				body = s2.Encode(nil, body)
			}
			exec("INSERT INTO resource VALUES (?,1,?,1,?,?,0,2,?,?,?)", rid, p.ID, rid, rid, p.Patient, p.Source, held)
			exec("INSERT INTO version VALUES (?,?,1,?,2,?,?,?)", rid, rid, rid, p.Patient, p.Source, body)
			if d.hashed {
				exec("INSERT INTO index_date VALUES (40,0,?,?)", at.Low, rid)
				exec("INSERT INTO index_number VALUES (41,?,?)", q.Low+.5, rid)
			} else {
				exec("INSERT INTO index_date VALUES (40,0,?,?,?)", at.Low, rid, at.High)
				exec("INSERT INTO index_number VALUES (41,?,?,?,?)", q.Low+.5, rid, q.Low, q.High)
			}
			if !d.sorted {
				flush()
			}
		}
		flush()
		exec("COMMIT")
	}
	b.ReportMetric(float64(size)/time.Since(began).Seconds(), "resources/s")
	b.ReportMetric(float64((processorTime()-used).Microseconds())/float64(size), "cpu-µs/resource")
	exec("PRAGMA wal_checkpoint(TRUNCATE)")
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(size), "B/resource")
	b.ReportMetric(0, "ns/op")
}

// physicalHeld is the values of a resource in one run of bytes.
func physicalHeld(p *store.Put, keys []keyRow) []byte {
	var out bytes.Buffer
	for _, k := range keys {
		out.Write(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(k.pid)), uint64(k.more)))
		fmt.Fprintf(&out, "%c%s", len(k.text), k.text)
	}
	out.Write(make([]byte, 40))
	return out.Bytes()
}
