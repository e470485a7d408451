package terminology_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
)

// What a hostile resource may cost: processor time, which does not depend on what else the machine does, and memory.
const (
	hostileTime   = time.Second
	hostileMemory = 100 << 20
)

// worked is the processor time that the process has taken.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cost runs f, and returns how long it worked and how much memory it held at most, beyond what was there. Garbage that
// nobody has collected counts as held, and a busy machine slows the processor down too: what is over a bound is run again,
// twice at most, with garbage collected at once.
func cost(t *testing.T, f func()) (took time.Duration, held int64) {
	t.Helper()
	took, held = measure(t, f)
	for try := 0; try < 2 && took > hostileTime; try++ {
		again, _ := measure(t, f)
		took = min(took, again)
	}
	if held > hostileMemory {
		defer debug.SetGCPercent(debug.SetGCPercent(20)) // takes time of its own
		_, held = measure(t, f)
	}
	return took, held
}

func measure(t *testing.T, f func()) (time.Duration, int64) {
	t.Helper()
	runtime.GC()
	before := heap()
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				most.Store(max(most.Load(), heap()-before))
			}
		}
	}()
	start := worked(t)
	f()
	took := worked(t) - start
	close(stop)
	<-stopped
	return took, max(most.Load(), heap()-before)
}

// heap is how many bytes of objects there are, dead ones among them. Asking stops nobody.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// object makes a node of names and texts.
func object(pairs ...string) *fhir.Node {
	n := fhir.NewObject()
	for i := 0; i < len(pairs); i += 2 {
		n.SetString(pairs[i], pairs[i+1])
	}
	return n
}

func manyConcepts(n int, code func(i int) string) *fhir.Node {
	list := fhir.NewArray()
	for i := range n {
		list.Append(object("code", code(i)))
	}
	return list
}

func bigSystem(n int, code func(i int) string) *fhir.Node {
	return object("resourceType", "CodeSystem", "url", "urn:hostile", "content", "complete").Set("caseSensitive", fhir.NewBool(true)).
		Set("concept", manyConcepts(n, code))
}

func setOf(include ...*fhir.Node) *fhir.Node {
	return object("resourceType", "ValueSet", "url", "urn:hostile:set").Set("compose", fhir.NewObject().Set("include", fhir.NewArray(include...)))
}

func filtered(property, op, value string) *fhir.Node {
	return object("system", "urn:hostile").Set("filter", fhir.NewArray(object("property", property, "op", op, "value", value)))
}

// chain is value sets each of which includes the next one as often as width says, and others that do too.
func chain(depth, width int, end func(i int) *fhir.Node) []*fhir.Node {
	var out []*fhir.Node
	for i := range depth {
		var includes []*fhir.Node
		for k := range width {
			includes = append(includes, fhir.NewObject().Set("valueSet", fhir.NewArray(fhir.NewString(fmt.Sprintf("urn:chain:%d", i+1)))))
			// They differ a little, so that they cannot be told to be the same.
			includes = append(includes, object("system", fmt.Sprintf("urn:s%d", k)).Set("concept", manyConcepts(1, func(int) string { return fmt.Sprint(i) })))
		}
		out = append(out, setOf(includes...).SetString("url", fmt.Sprintf("urn:chain:%d", i)))
	}
	return append(out, end(depth).SetString("url", fmt.Sprintf("urn:chain:%d", depth)))
}

func TestHostile(t *testing.T) {
	number := func(i int) string { return fmt.Sprintf("c%d", i) }
	plain := func(int) *fhir.Node { return setOf(object("system", "urn:hostile")) }
	// What is made is made for one row and forgotten after it: else each collection of garbage looks at all of it.
	many := func(n int) func() *fhir.Node { return func() *fhir.Node { return bigSystem(n, number) } }
	million, some, one := many(1_000_000), many(200_000), many(1)
	deep := func() *fhir.Node {
		top := bigSystem(0, number)
		for at, i := top, 0; i < 10_000; i++ {
			below := object("code", number(i))
			at.Set("concept", fhir.NewArray(below))
			at = below
		}
		return top
	}
	// A lattice: every concept has the two before it as parents, so that the ways up double at each step.
	lattice := func() *fhir.Node {
		out := bigSystem(2_000, number)
		for i, c := range out.Get("concept").Items() {
			parents := fhir.NewArray()
			for k := max(i-2, 0); k < i; k++ {
				parents.Append(object("code", "parent", "valueCode", number(k)))
			}
			c.Set("property", parents)
		}
		return out
	}
	ring := func() *fhir.Node {
		out := bigSystem(100_000, number)
		for i, c := range out.Get("concept").Items() {
			c.Set("property", fhir.NewArray(object("code", "parent", "valueCode", number((i+1)%100_000))))
		}
		return out
	}
	crowd := func() *fhir.Node {
		out := bigSystem(100_000, number)
		parents := fhir.NewArray()
		for i := range 200_000 {
			parents.Append(object("code", "parent", "valueCode", number(i/2)))
		}
		out.Path("concept").At(50_000).Set("property", parents)
		return out
	}
	kinds := func() *fhir.Node {
		out := bigSystem(1, number)
		properties := fhir.NewArray()
		for i := range terminology.MaxKinds + 1 {
			properties.Append(object("code", number(i), "valueString", "x"))
		}
		out.Path("concept").At(0).Set("property", properties)
		return out
	}
	systems := func() []*fhir.Node {
		var out []*fhir.Node
		for i := range 99_000 {
			out = append(out, object("system", fmt.Sprintf("urn:%d", i)))
		}
		return out
	}
	letters := func() *fhir.Node {
		return bigSystem(100_000, func(i int) string { return strings.Repeat("a", 100) + fmt.Sprint(i) })
	}
	expansion := func() *fhir.Node {
		out := object("resourceType", "ValueSet", "url", "urn:hostile:set")
		for at, i := out.Set("expansion", fhir.NewObject()).Get("expansion"), 0; i < 10_000; i++ {
			below := object("system", "urn:hostile", "code", number(i))
			at.Set("contains", fhir.NewArray(below))
			at = below
		}
		return out
	}
	// of is a code system and a value set.
	of := func(system func() *fhir.Node, include ...*fhir.Node) func() []*fhir.Node {
		return func() []*fhir.Node { return []*fhir.Node{system(), setOf(include...)} }
	}
	whole := object("system", "urn:hostile")

	for _, row := range []struct {
		name      string
		resources func() []*fhir.Node
		set       string
		q         terminology.ExpandRequest
		total     int
		refused   string
	}{
		{"pages over a million codes", of(million, whole), "", terminology.ExpandRequest{Page: &terminology.Page{Offset: 999_990, Count: 100}}, 1_000_000, ""},
		{"refuses a million codes at once", of(million, whole), "", terminology.ExpandRequest{}, 0, "expansion-too-costly"},
		{"finds a text in a million codes", of(million, whole), "", terminology.ExpandRequest{Filter: "c99999"}, 11, ""},
		{"refuses a million listed codes", func() []*fhir.Node {
			return []*fhir.Node{setOf(object("system", "urn:hostile").Set("concept", manyConcepts(2*terminology.DefaultMaxParts, number)))}
		}, "", terminology.ExpandRequest{}, 0, "value-set-too-large"},
		{"lists codes nested ten thousand deep flat", of(deep, whole), "", terminology.ExpandRequest{}, 10_000, ""},
		{"takes an expansion nested ten thousand deep", func() []*fhir.Node { return []*fhir.Node{deep(), expansion()} }, "", terminology.ExpandRequest{}, 10_000, ""},
		{"goes down many ways once", of(lattice, filtered("concept", "is-a", "c0")), "", terminology.ExpandRequest{}, 2_000, ""},
		{"goes up many ways once", of(lattice, filtered("concept", "generalizes", "c1999")), "", terminology.ExpandRequest{}, 2_000, ""},
		{"opens rings", of(ring, filtered("concept", "is-a", "c99999")), "", terminology.ExpandRequest{Page: &terminology.Page{Count: 1}}, 100_000, ""},
		{"counts parents that are named again once", of(crowd, filtered("concept", "generalizes", "c50000")), "", terminology.ExpandRequest{Page: &terminology.Page{Count: 1}}, 100_000, ""},
		{"refuses kinds of properties by the thousand", of(kinds, whole), "", terminology.ExpandRequest{}, 0, "code-system-too-large"},
		{"refuses systems by the thousand", func() []*fhir.Node { return []*fhir.Node{setOf(systems()...)} }, "", terminology.ExpandRequest{Page: &terminology.Page{Count: 1}}, 0, "code-system-unknown"},
		{"ends excludes by the thousand", func() []*fhir.Node {
			n := setOf(whole)
			n.Get("compose").Set("exclude", fhir.NewArray(systems()...))
			return []*fhir.Node{some(), n}
		}, "", terminology.ExpandRequest{Page: &terminology.Page{Count: 1}}, -1, ""},
		{"gives hard patterns up", of(letters, filtered("code", "regex", "((a|aa|a{1,50})+b?){20}x")), "", terminology.ExpandRequest{}, 0, "filter-pattern-too-costly"},
		{"refuses large patterns", of(letters, filtered("code", "regex", strings.Repeat("(a{500}b)", 50))), "", terminology.ExpandRequest{}, 0, "filter-value-invalid"},
		{"refuses long patterns", of(letters, filtered("code", "regex", strings.Repeat("a", 1000))), "", terminology.ExpandRequest{}, 0, "filter-value-invalid"},
		{"refuses patterns that only backtrack", of(letters, filtered("code", "regex", `(a*)\1`)), "", terminology.ExpandRequest{}, 0, "filter-value-invalid"},
		{"refuses long lists of values", of(letters, filtered("code", "in", strings.Repeat("a,b,", 10_000)+manyNames(20_000))), "", terminology.ExpandRequest{}, 0, "filter-value-invalid"},
		{"ends imports that double", func() []*fhir.Node { return append(chain(30, 2, plain), one()) }, "urn:chain:0", terminology.ExpandRequest{}, 0, "terminology-too-costly"},
		{"ends imports that double in a circle", func() []*fhir.Node {
			return append(chain(30, 2, func(int) *fhir.Node {
				return setOf(fhir.NewObject().Set("valueSet", fhir.NewArray(fhir.NewString("urn:chain:0"))))
			}), one())
		}, "urn:chain:0", terminology.ExpandRequest{}, 0, "value-set-too-large"},
		{"ends deep imports", func() []*fhir.Node { return append(chain(100, 1, plain), one()) }, "urn:chain:0", terminology.ExpandRequest{}, 0, "value-set-too-deep"},
		{"ends thousands of filters", of(some, repeated(5_000, filtered("code", "exists", "true"))...), "", terminology.ExpandRequest{Page: &terminology.Page{Count: 10}}, -1, ""},
		{"counts thousands of whole systems once", of(some, repeated(5_000, whole)...), "", terminology.ExpandRequest{Page: &terminology.Page{Count: 10}}, 200_000, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.set == "" {
				row.set = "urn:hostile:set"
			}
			resources := row.resources()
			var total int
			var err error
			took, held := cost(t, func() {
				total = 0
				c := terminology.New(definitions.R4(), terminology.Options{Resources: resources})
				var s *terminology.Set
				var x *terminology.Expansion
				if s, err = c.ValueSet(row.set); err == nil {
					s.Has("urn:hostile", "c1")
					s.HasCode("nothing")
					x, err = c.Expand(t.Context(), s, row.q)
				}
				if err == nil {
					total = x.Total
				}
			})
			t.Logf("%v, %d MB", took.Round(time.Millisecond), held>>20)
			if took > hostileTime || held > hostileMemory {
				t.Errorf("took %v and %d bytes", took, held)
			}
			if got := refused(t, err); got != row.refused || total != row.total {
				t.Errorf("total %d, refused with %q, want %d, %q", total, got, row.total, row.refused)
			}
		})
	}
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "v%d,", i)
	}
	return b.String()
}

func repeated(n int, node *fhir.Node) []*fhir.Node {
	out := make([]*fhir.Node, n)
	for i := range out {
		out[i] = node.Clone()
	}
	return out
}
