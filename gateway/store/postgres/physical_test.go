package postgres_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/storetest"
	"github.com/yilian/yilian/internal/testenv"
)

// design is one way to keep index values physically. All have the same resources and versions; they differ in how an
// equality value leads to its resource, and in where the values of a resource are found.
type design struct {
	name   string
	tables string
	arrays bool   // the values stand on the resource's row
	rows   bool   // a row per equality value
	match  string // the resources that have key $1; "" for an array
}

const physicalBase = `
CREATE TABLE resource (rid int8 PRIMARY KEY, type int4 NOT NULL, id bytea NOT NULL, number int8 NOT NULL, change int8 NOT NULL,
	updated int8 NOT NULL, deleted bool NOT NULL, owner int4 NOT NULL, patient bytea NOT NULL, source bytea NOT NULL,
	stamp_time int8 NOT NULL, stamp_sequence int8 NOT NULL,
	keys int8[], x_pid int4[], x_space int4[], x_text bytea[], d_pid int4[], d_low int8[], d_high int8[],
	q_pid int4[], q_low float8[], q_high float8[], q_code int4[]);
CREATE UNIQUE INDEX resource_id ON resource (type, id);
CREATE INDEX resource_updated ON resource (type, updated);
CREATE INDEX resource_type ON resource (type, rid);
CREATE INDEX resource_patient ON resource (patient, type);
CREATE TABLE version (change int8 PRIMARY KEY, rid int8 NOT NULL, number int8 NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	updated int8 NOT NULL, deleted bool NOT NULL, owner int4 NOT NULL, patient bytea NOT NULL, source bytea NOT NULL,
	stamp_time int8 NOT NULL, stamp_sequence int8 NOT NULL, body bytea);
CREATE UNIQUE INDEX version_number ON version (rid, number);
CREATE TABLE index_date (pid int4 NOT NULL, class int2 NOT NULL, rid int8 NOT NULL, low int8 NOT NULL, high int8 NOT NULL);
CREATE INDEX index_date_low ON index_date (pid, class, low, rid);
CREATE TABLE index_number (pid int4 NOT NULL, rid int8 NOT NULL, value float8 NOT NULL);
CREATE INDEX index_number_value ON index_number (pid, value, rid);
`

var designs = []design{
	{name: "rows+rid", rows: true, match: "SELECT rid FROM index_key WHERE key = $1", tables: physicalBase + `
CREATE TABLE index_key (key int8 NOT NULL, rid int8 NOT NULL, pid int4 NOT NULL, space int4 NOT NULL);
CREATE INDEX index_key_key ON index_key (key, rid);
CREATE INDEX index_key_rid ON index_key (rid, pid);
CREATE INDEX index_date_rid ON index_date (rid, pid);
CREATE INDEX index_number_rid ON index_number (rid, pid);`},
	{name: "rows+arrays", rows: true, arrays: true, match: "SELECT rid FROM index_key WHERE key = $1", tables: physicalBase + `
CREATE TABLE index_key (key int8 NOT NULL, rid int8 NOT NULL);
CREATE INDEX index_key_key ON index_key (key, rid);`},
	{name: "gin", arrays: true, tables: physicalBase + `
CREATE INDEX resource_keys ON resource USING gin (keys);`},
	{name: "gin-sync", arrays: true, tables: physicalBase + `
CREATE INDEX resource_keys ON resource USING gin (keys) WITH (fastupdate = off);`},
}

// physical is one resource as all designs write it.
type physical struct {
	rid          int64
	typ          int
	id, patient  string
	owner        int
	source       string
	updated      int64
	keys         []int64
	xPid, xSpace []int32
	xText        [][]byte
	dPid         []int32
	dLow, dHigh  []int64
	qPid, qCode  []int32
	qLow, qHigh  []float64
	body         []byte
}

func hashOf(pid int32, text string) int64 {
	h := fnv.New64a()
	fmt.Fprint(h, pid, "|", text)
	return int64(h.Sum64())
}

func (p *physical) text(pid, space int32, text string) {
	p.keys = append(p.keys, hashOf(pid, text))
	p.xPid, p.xSpace, p.xText = append(p.xPid, pid), append(p.xSpace, space), append(p.xText, []byte(text))
}

func physicalOf(put *store.Put, rid int64) *physical {
	p := &physical{rid: rid, typ: len(put.Type), id: put.ID, patient: put.Patient, owner: 3, source: put.Source, updated: rid}
	pid := func(param string) int32 { return int32(uint32(hashOf(int32(p.typ), param)) >> 20) }
	for _, k := range put.Values.Tokens {
		p.text(pid(k.Param), 7, k.Code)
	}
	for _, k := range put.Values.Strings {
		p.text(pid(k.Param), 0, k.Folded)
	}
	for _, k := range put.Values.References {
		p.text(pid(k.Param), 9, k.ID)
	}
	for _, k := range put.Values.Dates {
		p.dPid, p.dLow, p.dHigh = append(p.dPid, pid(k.Param)), append(p.dLow, k.Low), append(p.dHigh, k.High)
	}
	for _, k := range put.Values.Quantities {
		p.qPid, p.qLow, p.qHigh, p.qCode = append(p.qPid, pid(k.Param)), append(p.qLow, k.Low), append(p.qHigh, k.High), append(p.qCode, 8)
	}
	p.body = make([]byte, 450) // about what a laboratory result of 1.5 kB is after compression
	r := rand.New(rand.NewPCG(uint64(rid), 1))
	for i := range p.body {
		p.body[i] = byte(r.Uint32())
	}
	return p
}

func (d *design) write(ctx context.Context, c *pgxpool.Conn, list []*physical) error {
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	var keys, rids, dLow, dHigh, dRid, qRid []int64
	var pids, spaces, dPid, qPid []int32
	var qValue []float64
	for _, p := range list {
		args := []any{p.rid, p.typ, []byte(p.id), p.updated, p.owner, []byte(p.patient), []byte(p.source)}
		if d.arrays {
			b.Queue(`INSERT INTO resource VALUES ($1,$2,$3,1,$4,$4,false,$5,$6,$7,1,0,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)`,
				append(args, p.keys, p.xPid, p.xSpace, p.xText, p.dPid, p.dLow, p.dHigh, p.qPid, p.qLow, p.qHigh, p.qCode)...)
		} else {
			b.Queue(`INSERT INTO resource VALUES ($1,$2,$3,1,$4,$4,false,$5,$6,$7,1,0)`, args...)
		}
		b.Queue(`INSERT INTO version VALUES ($1,$1,1,DEFAULT,$2,false,$3,$4,$5,1,0,$6)`, p.rid, p.updated, p.owner, []byte(p.patient), []byte(p.source), p.body)
		for i, k := range p.keys {
			keys, rids, pids, spaces = append(keys, k), append(rids, p.rid), append(pids, p.xPid[i]), append(spaces, p.xSpace[i])
		}
		for i := range p.dPid {
			dPid, dRid, dLow, dHigh = append(dPid, p.dPid[i]), append(dRid, p.rid), append(dLow, p.dLow[i]), append(dHigh, p.dHigh[i])
		}
		for i := range p.qPid {
			qPid, qRid, qValue = append(qPid, p.qPid[i]), append(qRid, p.rid), append(qValue, p.qLow[i])
		}
	}
	switch {
	case d.rows && d.arrays:
		b.Queue("INSERT INTO index_key SELECT * FROM unnest($1::int8[], $2::int8[])", keys, rids)
	case d.rows:
		b.Queue("INSERT INTO index_key SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[])", keys, rids, pids, spaces)
	}
	b.Queue("INSERT INTO index_date SELECT p, 0, r, l, h FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::int8[]) x(p, r, l, h)", dPid, dRid, dLow, dHigh)
	b.Queue("INSERT INTO index_number SELECT * FROM unnest($1::int4[], $2::int8[], $3::float8[])", qPid, qRid, qValue)
	b.Queue("COMMIT")
	return c.SendBatch(ctx, b).Close()
}

// BenchmarkPhysicalDesign fills each design and asks it the shapes in which they differ. YILIAN_TEST_PHYSICAL sets how
// many resources; one round is enough (-benchtime 1x).
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
	ctx := b.Context()
	config, err := pgxpool.ParseConfig(testenv.Postgres(b))
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, d.tables); err != nil {
		b.Fatal(err)
	}
	load := func(from, to, step, workers int) float64 {
		var next atomic.Int64
		next.Store(int64(from))
		start := time.Now()
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				c, err := pool.Acquire(ctx)
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Release()
				for {
					at := int(next.Add(int64(step))) - step
					if at >= to {
						return
					}
					var list []*physical
					for n := at; n < min(at+step, to); n++ {
						list = append(list, physicalOf(storetest.Observation(n), int64(n+1)))
					}
					if err := d.write(ctx, c, list); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		return float64(to-from) / time.Since(start).Seconds()
	}
	half := size / 2
	bulk := load(0, half, 200, 2)
	b.ReportMetric(bulk, "bulk-resources/s")
	b.ReportMetric(load(half, size, 2, 8)/2, "pair-tx/s")
	if _, err := pool.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
	var bytes int64
	if err := pool.QueryRow(ctx, "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").Scan(&bytes); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes)/float64(size), "B/resource")
	d.ask(b, pool, size)
	b.ReportMetric(0, "ns/op")
}

func (d *design) ask(b *testing.B, pool *pgxpool.Pool, size int) {
	ctx := b.Context()
	c, err := pool.Acquire(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Release()
	if _, err := c.Exec(ctx, "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off"); err != nil {
		b.Fatal(err)
	}
	sample := physicalOf(storetest.Observation(0), 1)
	pid := map[string]int32{}
	for i, k := range storetest.Observation(0).Values.Tokens {
		pid[k.Param] = sample.xPid[i]
	}
	for i, k := range storetest.Observation(0).Values.References {
		pid[k.Param] = sample.xPid[len(storetest.Observation(0).Values.Tokens)+i]
	}
	from, join := "FROM index_key x JOIN resource r ON r.rid = x.rid WHERE x.key = $1", "x.rid"
	second := " AND $2 = ANY(r.keys)"
	if !d.arrays {
		second = " AND EXISTS (SELECT 1 FROM index_key y WHERE y.rid = r.rid AND y.key = $2)"
	}
	if !d.rows {
		from, join, second = "FROM resource r WHERE r.keys @> ARRAY[$1::int8]", "r.rid", " AND r.keys @> ARRAY[$2::int8]"
	}
	tail := " AND NOT r.deleted AND r.owner = ANY('{1,2,3}') ORDER BY " + join + " LIMIT 21"
	bodies := func(sql string) string {
		return "WITH hit AS MATERIALIZED (SELECT " + join + " AS rid, r.change " + sql + ") SELECT v.body FROM hit h JOIN version v ON v.change = h.change ORDER BY h.rid"
	}
	for _, shape := range []struct {
		name string
		sql  string
		args func(n int) []any
	}{
		{"identifier", bodies(from + tail), func(n int) []any { return []any{hashOf(pid["identifier"], fmt.Sprint("N", n))} }},
		{"patient+code", bodies(from + second + tail), func(n int) []any {
			return []any{hashOf(pid["patient"], storetest.Observation(n).Patient), hashOf(pid["code"], fmt.Sprint(n%200))}
		}},
		{"code", bodies(from + tail), func(n int) []any { return []any{hashOf(pid["code"], fmt.Sprint(n%200))} }},
		{"status", bodies(from + tail), func(n int) []any { return []any{hashOf(pid["status"], "final")} }},
	} {
		rounds := 300
		if shape.name == "status" {
			rounds = 20
		}
		start := time.Now()
		for n := range rounds {
			rows, err := c.Query(ctx, shape.sql, shape.args(n*7919%size)...)
			if err != nil {
				b.Fatal(err)
			}
			found := 0
			for rows.Next() {
				found++
			}
			if err := rows.Err(); err != nil {
				b.Fatal(err)
			}
			if found == 0 {
				b.Fatalf("%s finds nothing", shape.name)
			}
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/float64(rounds), strings.ReplaceAll(shape.name, " ", "-")+"-µs")
	}
}
