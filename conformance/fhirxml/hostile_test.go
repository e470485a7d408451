//go:build unix

package fhirxml_test

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
)

// TestHostileDocumentsEndSoon gives documents that are as large as they may be. None
// may take more than a second, nor hold more memory than a server has for one
// request.
func TestHostileDocumentsEndSoon(t *testing.T) {
	const size = 16 << 20
	fill := func(unit string) string { return strings.Repeat(unit, (size-8000)/len(unit)) }
	manyNamespaces := func() string {
		var b strings.Builder
		for i := range 60 {
			b.WriteString(` xmlns:p` + strings.Repeat("x", i) + `="urn:x"`)
		}
		return `<Patient xmlns="http://hl7.org/fhir"` + b.String() + `>` + fill(`<p:a/>`) + `</Patient>`
	}
	attributes := `<name` + strings.Repeat(` a="" `, 40) + `/>`
	for name, text := range map[string]string{
		"50 MB of text":              patient(`<gender value="` + strings.Repeat("x", 50<<20) + `"/>`),
		"one long value":             patient(`<gender value="` + fill("x") + `"/>`),
		"one value of references":    patient(`<gender value="` + fill("&#x4E00;") + `"/>`),
		"ten thousand levels":        patient(strings.Repeat(`<extension url="a">`, 10_000)),
		"levels of narrative":        patient(`<text>` + div + fill(`<b>`)),
		"small values":               patient(`<name>` + fill(`<given value="a"/>`) + `</name>`),
		"small extensions":           patient(fill(`<extension url="a"/>`)),
		"empty elements":             patient(fill(`<name/>`)),
		"unknown elements":           patient(`<x>` + fill(`<a/>`) + `</x>`),
		"elements in turn":           patient(fill(`<name id="a"/><photo id="a"/>`)),
		"places without values":      patient(`<name>` + fill(`<given id="a"/>`) + `<given value="a"/></name>`),
		"a narrative of small tags":  patient(`<text>` + div + fill(`<b/>`) + `</div></text>`),
		"a narrative with a prefix":  `<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text><h:div>` + fill(`<h:b/>`) + `</h:div></text></Patient>`,
		"comments":                   patient(fill(`<!---->`)),
		"text in pieces":             patient(fill(`<![CDATA[ ]]> `)),
		"an end of lines":            patient(fill("\n")),
		"tags with many attributes":  patient(fill(attributes)),
		"names that are not alike":   patient(`<x` + fill(` abcdefghij="1"`) + `/>`),
		"many namespaces":            manyNamespaces(),
		"namespaces at every level":  strings.Repeat(`<Patient xmlns="http://hl7.org/fhir">`, 200_000),
		"an entity in an entity":     `<!DOCTYPE a [<!ENTITY b "` + strings.Repeat("&c;", 1000) + `">]>` + patient(`<gender value="&b;"/>`),
		"a name without an end":      `<` + fill("a"),
		"a comment without an end":   patient(`<!--` + fill(" -")),
		"closing tags":               patient(fill(`</a>`)),
		"brackets":                   patient(`<text>` + div + fill(`]]`) + `</div></text>`),
		"line ends in the narrative": patient(`<text>` + div + fill("\r") + `</div></text>`),
	} {
		t.Run(name, func(t *testing.T) {
			var issues []fhir.Issue
			var err error
			var n *fhir.Node
			took, held := cost(t, text, func(doc []byte) { n, issues, err = fhirxml.Parse(doc, fhirxml.Options{}) })
			t.Logf("%v, %d MB, %d issues, %v", took, held>>20, len(issues), err)
			if took > hostileTime || held > hostileMemory {
				t.Errorf("took %v and %d MB", took, held>>20)
			}
			runtime.KeepAlive(n)
		})
	}
}

// What a hostile document may cost: processor time, and memory besides the document itself.
const (
	hostileTime   = time.Second
	hostileMemory = 100 << 20
)

// cost reads a document, and returns how long that worked and how much memory it held at most. Garbage that nobody has
// collected counts as held: what is over a bound is run again, with garbage collected at once where it is memory.
func cost(t *testing.T, text string, read func(doc []byte)) (took time.Duration, held int64) {
	t.Helper()
	took, held = measure(t, text, read)
	for try := 0; try < 2 && took > hostileTime; try++ {
		again, _ := measure(t, text, read)
		took = min(took, again)
	}
	if held > hostileMemory {
		defer debug.SetGCPercent(debug.SetGCPercent(10)) // takes time of its own
		_, held = measure(t, text, read)
	}
	return took, held
}

func measure(t *testing.T, text string, read func(doc []byte)) (time.Duration, int64) {
	t.Helper()
	doc := []byte(text)
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
			case <-time.After(time.Millisecond):
				most.Store(max(most.Load(), heap()-before))
			}
		}
	}()
	start := processorTime(t)
	read(doc)
	took := processorTime(t) - start
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

// processorTime is what this process has computed so far: what the clock says
// depends on what else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
