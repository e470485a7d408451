package bench_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/testenv"
)

var (
	size     = flag.Int("size", 0, "resources in the store; 0: no measurement")
	stores   = flag.String("store", "sqlite,postgres", "stores to measure")
	loads    = flag.String("load", "idle,read,search,crud,write,import,raw", "loads to measure, raw: its rows written again without the server; the store is filled in any case")
	length   = flag.Duration("time", 10*time.Second, "how long a load runs; a search shape a fifth of it")
	parallel = flag.Int("workers", 16, "connections of a load")
	profiles = flag.String("profiles", "", "folder for profiles of the server under each load")
	few      = flag.Int("bundles", 0, "how many of the corpus's transactions are imported; 0: all")
	settle   = flag.Duration("settle", 10*time.Second, "how long after being ready the memory of an empty server is read")
)

// TestServer prints how fast a server over each store is. It fails on errors, not on figures.
func TestServer(t *testing.T) {
	if *size <= 0 {
		t.Skip("measures for minutes: run make bench")
	}
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, store := range strings.Split(*stores, ",") {
		t.Run(store, func(t *testing.T) {
			(&bench{
				store: store, size: *size, loads: strings.Split(*loads, ","), time: *length, workers: *parallel, settle: *settle, print: fmt.Printf,
			}).run(t)
		})
	}
}

// TestEveryLoadRunsWithoutErrors holds the loads themselves to the server, in small.
func TestEveryLoadRunsWithoutErrors(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			var out strings.Builder
			(&bench{
				store: store, size: 400, loads: []string{"idle", "read", "search", "crud", "write", "raw"}, time: 250 * time.Millisecond, workers: 4,
				print: func(format string, args ...any) (int, error) { return fmt.Fprintf(&out, format, args...) },
			}).run(t)
			for _, want := range []string{"ready", "fill", "raw rows", "read", "vread", "delete", "_revinclude", "write"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in the report:\n%s", want, out.String())
				}
			}
		})
	}
}

// bench is one measurement of one store.
type bench struct {
	store   string
	size    int
	loads   []string
	time    time.Duration
	workers int
	settle  time.Duration
	print   func(format string, args ...any) (int, error)

	url  string // of PostgreSQL
	lite string // folder of SQLite
	db   int    // process id of the database
	rows []row
}

// row is one line of the report.
type row struct {
	load, op string
	m        measured
	cpu      time.Duration // of the server and the database, a request; only known for whole loads
	raw      float64       // the raw limit, in the same unit as the rate
	limit    string        // what that is
	unit     float64       // how many of the unit one request is; 0: one
}

func (b *bench) wants(load string) bool { return slices.Contains(b.loads, load) }

// fresh makes an empty store. Each call is another one.
func (b *bench) fresh(t testing.TB) {
	t.Helper()
	b.lite, b.url, b.db = t.TempDir(), "", 0
	if b.store == "postgres" {
		b.url = testenv.Postgres(t)
		b.db = databasePID(t, b.url)
	}
}

func (b *bench) start(t testing.TB) (*process, target) {
	t.Helper()
	p := start(t, "serve", b.lite, b.url)
	p.ready(t)
	return p, target{address: p.address, pid: p.cmd.Process.Pid, database: b.db}
}

func (b *bench) run(t *testing.T) {
	b.fresh(t)
	defer b.table()
	b.print("\n%s, %s; %d resources, %d connections, load average %s\n", b.store, b.durability(t), b.size, b.workers, loadAverage())
	if b.wants("idle") {
		b.idle(t)
		b.fresh(t)
	}
	p, g := b.start(t)
	end := p.profile(t, b.store+"-fill")
	s, filled := fill(t, g, max(2, b.workers/2), b.size)
	end()
	resources := s.patients * perPatient
	b.add(row{load: "fill", op: "transactions of 100", m: filled.all, cpu: filled.each(), unit: perBundle * perPatient})
	b.parts("fill", filled)
	at := len(b.rows) - 1

	if b.wants("read") {
		echo, refs := startEcho(t, g, s)
		limit := target{address: echo.address, pid: echo.cmd.Process.Pid}.run(b.time/2, b.workers, 4, func(w *worker) bool {
			w.ask("read", "GET", "/fhir/"+refs[w.rng.IntN(len(refs))], "", nil, 200)
			return true
		})
		echo.stop(t)
		b.check(t, limit)
		r := b.load(t, p, g, "read", b.time, s.read)
		b.add(row{load: "read", m: r.all, cpu: r.each(), raw: limit.all.rate, limit: fmt.Sprintf("Echo, %d µs CPU", limit.each().Microseconds())})
		b.parts("read", r)
	}
	if b.wants("search") {
		b.search(t, p, g, s)
	}
	if b.wants("crud") {
		r := b.load(t, p, g, "crud", b.time, s.crud)
		b.add(row{load: "crud", m: r.all, cpu: r.each()})
		for _, m := range r.ops {
			b.add(row{load: "crud", op: m.op, m: m})
		}
		b.parts("crud", r)
	}
	written := -1
	if b.wants("write") {
		r := b.load(t, p, g, "write", b.time, s.write)
		b.add(row{load: "write", op: "transactions of 2", m: r.all, cpu: r.each(), unit: 2})
		written = len(b.rows) - 1
		b.parts("write", r)
	}
	b.print("memory of the server after all: %d MB, at most %d MB\n", residentOf(t, g.pid, "VmRSS")>>20, residentOf(t, g.pid, "VmHWM")>>20)
	p.stop(t)

	total := b.count(t)
	disk := b.disk(t)
	b.print("disk: %d versions, %.2f kB each; a resource of fill was sent in %.2f kB\n", total, float64(disk)/float64(total)/1000, float64(s.bytes)/float64(resources)/1000)
	if b.wants("raw") {
		raw := float64(total) / b.rawRows(t, total).Seconds()
		b.print("raw rows: %.0f resources/s (%s)\n", raw, b.rawWay())
		b.rows[at].raw, b.rows[at].limit = raw, "raw rows"
		if written >= 0 {
			b.rows[written].raw, b.rows[written].limit = raw, "raw rows"
		}
	}
	if b.wants("import") {
		b.importCorpus(t)
	}
}

// load runs a load with a profile around it.
func (b *bench) load(t testing.TB, p *process, g target, name string, d time.Duration, step func(*worker) bool) *result {
	t.Helper()
	end := p.profile(t, b.store+"-"+strings.ReplaceAll(name, " ", "_"))
	r := g.run(d, b.workers, 5, step)
	end()
	b.check(t, r)
	return r
}

func (b *bench) check(t testing.TB, r *result) {
	t.Helper()
	if r.all.errors > 0 {
		t.Errorf("%d errors, the first: %s", r.all.errors, r.first)
	}
	if r.all.n == 0 {
		t.Error("not a single answer")
	}
}

// idle measures how soon a server over an empty store is ready, and what it needs then.
func (b *bench) idle(t testing.TB) {
	t.Helper()
	best := time.Duration(1<<63 - 1)
	var memory int64
	for round := range 3 {
		if round > 0 {
			b.fresh(t)
		}
		began := time.Now()
		p, g := b.start(t)
		best = min(best, time.Since(began))
		if round == 0 {
			time.Sleep(b.settle)
			memory = residentOf(t, g.pid, "VmRSS")
		}
		p.stop(t)
	}
	b.print("empty store: ready after %d ms (best of 3; bound 300), %d MB %v later (bound 80)\n", best.Milliseconds(), memory>>20, b.settle)
}

func (b *bench) search(t testing.TB, p *process, g target, s *stored) {
	t.Helper()
	bare := newBare(t, b.bareURL(t))
	var whole result
	end := p.profile(t, b.store+"-search")
	for i, q := range shapes {
		all := s.ask(t, g, q, uint64(i))
		if len(all) == 0 {
			continue
		}
		reader := &client{address: g.address}
		found := 0
		bare.add(t, i, all, func(ref string) []byte {
			a, err := reader.do("GET", "/fhir/"+ref, "", nil)
			if err != nil || a.status != 200 {
				t.Fatalf("reading what was found: %d %v", a.status, err)
			}
			return slices.Clone(a.body)
		})
		reader.close()
		for _, h := range all {
			found += len(h.refs)
		}
		limit := bare.run(t, i, len(all), b.workers, b.time/20)
		r := g.run(b.time/5, b.workers, uint64(i), func(w *worker) bool {
			w.ask(q.name, "GET", all[w.rng.IntN(len(all))].path, "", nil, 200)
			return true
		})
		b.check(t, r)
		b.add(row{load: "search", op: fmt.Sprintf("%s (%.1f found)", q.name, float64(found)/float64(len(all))), m: r.all, cpu: r.each(), raw: limit, limit: "SELECT"})
		whole.all.n += r.all.n
		whole.all.errors += r.all.errors
		whole.wall += r.wall
		whole.server += r.server
		whole.store += r.store
	}
	end()
	whole.all.rate = float64(whole.all.n) / whole.wall.Seconds()
	b.add(row{load: "search", op: "mean of the shapes", m: whole.all, cpu: whole.each()})

	// One after the other, as a client asks that does not know what is cheap.
	var next atomic.Int64
	r := g.run(b.time, b.workers, 77, func(w *worker) bool {
		q := shapes[int(next.Add(1))%len(shapes)]
		w.ask(q.name, "GET", "/fhir/"+q.path(s, w), "", nil, 200)
		return true
	})
	b.check(t, r)
	b.add(row{load: "search", op: "all shapes in turn", m: r.all, cpu: r.each()})
	b.parts("search", r)
}

func (b *bench) bareURL(t testing.TB) string {
	if b.url == "" {
		return ""
	}
	return another(t, b.url, fmt.Sprintf("bare%d", time.Now().UnixNano()))
}

// importCorpus brings Synthea's transactions into an empty store.
func (b *bench) importCorpus(t testing.TB) {
	t.Helper()
	if os.Getenv("YILIAN_CORPUS") == "" {
		b.print("import: needs the corpus: set YILIAN_CORPUS to its folder\n")
		return
	}
	parts, resources := bundles(t, *few)
	b.fresh(t)
	p, g := b.start(t)
	end := p.profile(t, b.store+"-import")
	began, cpu := time.Now(), processorTime(g.pid)+processorTime(g.database)
	sent := 0
	var r *result
	for i, all := range parts {
		var next atomic.Int64
		r = g.run(time.Hour, []int{1, 4, 4}[i], 6, func(w *worker) bool {
			i := int(next.Add(1)) - 1
			if i >= len(all) {
				return false
			}
			w.ask("bundle", "POST", "/fhir", "", all[i], 200)
			return true
		})
		sent += len(all)
		if len(all) > 0 {
			b.check(t, r)
		}
	}
	took := time.Since(began)
	cpu = processorTime(g.pid) + processorTime(g.database) - cpu
	end()
	b.print("import: %d resources in %d transactions, %.1f s; memory of the server at most %d MB\n", resources, sent, took.Seconds(),
		residentOf(t, g.pid, "VmHWM")>>20)
	p.stop(t)
	total := b.count(t)
	var raw float64
	if b.wants("raw") {
		raw = float64(total) / b.rawRows(t, total).Seconds()
	}
	b.print("import: %d versions, %.2f kB on disk each\n", total, float64(b.disk(t))/float64(max(total, 1))/1000)
	r.all.rate = float64(total) / took.Seconds()
	b.add(row{load: "import", op: "resources", m: r.all, cpu: cpu / time.Duration(max(total, 1)), raw: raw, limit: "raw rows"})
}

// count is how many versions a stopped server's store holds.
func (b *bench) count(t testing.TB) (n int) {
	t.Helper()
	const query = `SELECT count(*) FROM version`
	var err error
	if b.url != "" {
		err = connect(t, b.url).QueryRow(t.Context(), query).Scan(&n)
	} else {
		db := openSQLite(t, filepath.Join(b.lite, "yilian.db"), "")
		err = db.QueryRow(query).Scan(&n)
		_ = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (b *bench) disk(t testing.TB) (n int64) {
	t.Helper()
	if b.url == "" {
		return folderSize(t, b.lite)
	}
	if err := connect(t, b.url).QueryRow(t.Context(), `SELECT pg_database_size(current_database())`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (b *bench) rawRows(t testing.TB, versions int) time.Duration {
	t.Helper()
	if b.url == "" {
		return rawSQLite(t, b.lite, versions)
	}
	return rawPostgres(t, b.url, another(t, b.url, fmt.Sprintf("raw%d", time.Now().UnixNano())))
}

func (b *bench) rawWay() string {
	if b.url == "" {
		return fmt.Sprintf("all rows of the store inserted again, %d resources a transaction, same sync mode", rawBatch)
	}
	return "all rows of the store copied again with COPY, same sync mode"
}

func (b *bench) durability(t testing.TB) string {
	t.Helper()
	if b.url == "" {
		return "WAL, synchronous=FULL"
	}
	var fsync, commit, version string
	if err := connect(t, b.url).QueryRow(t.Context(), `SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_version')`).
		Scan(&fsync, &commit, &version); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s, fsync=%s, synchronous_commit=%s", version, fsync, commit)
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

func (b *bench) add(r row) { b.rows = append(b.rows, r) }

// parts says whose processor time a load took.
func (b *bench) parts(load string, r *result) {
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / r.wall.Seconds() }
	b.print("%s: processor %.0f %% server, %.0f %% database, %.0f %% client\n", load, share(r.server), share(r.store), share(r.client))
}

// table prints all rows.
func (b *bench) table() {
	ms := func(d time.Duration) string {
		if d == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000)
	}
	b.print("%-8s%-34s%9s%9s%9s%9s%8s%9s%10s%8s  %s\n", "load", "operation", "/s", "p50 ms", "p95", "p99", "errors", "CPU µs", "raw /s", "ratio", "raw is")
	for _, r := range b.rows {
		raw, ratio, cpu := "", "", ""
		if r.raw > 0 {
			raw = fmt.Sprintf("%.0f", r.raw)
			ratio = fmt.Sprintf("%.0f %%", 100*r.m.rate*max(r.unit, 1)/r.raw)
		}
		if r.cpu > 0 {
			cpu = fmt.Sprint(r.cpu.Microseconds())
		}
		b.print("%-8s%-34s%9.0f%9s%9s%9s%8d%9s%10s%8s  %s\n", r.load, r.op, r.m.rate, ms(r.m.p50), ms(r.m.p95), ms(r.m.p99), r.m.errors, cpu, raw, ratio, r.limit)
	}
}
