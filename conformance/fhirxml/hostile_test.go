//go:build unix

package fhirxml_test

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhirxml"
)

// TestHostileDocumentsEndSoon gives documents that are as large as they may be. None
// may take more than a second, nor keep or throw away more memory than a server has
// for one request.
func TestHostileDocumentsEndSoon(t *testing.T) {
	const size = 16 << 20
	fill := func(unit string) string { return strings.Repeat(unit, (size-1000)/len(unit)) }
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
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			doc := []byte(text)
			start := processorTime(t)
			n, issues, err := fhirxml.Parse(doc, fhirxml.Options{})
			took := processorTime(t) - start
			runtime.ReadMemStats(&after)
			used := int64(after.TotalAlloc-before.TotalAlloc)>>20 - int64(len(text)>>20)
			t.Logf("%v, %d MB, %d issues, %v", took, used, len(issues), err)
			if took > time.Second {
				t.Errorf("took %v", took)
			}
			var live runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&live)
			if kept := (int64(live.HeapAlloc) - int64(before.HeapAlloc)) >> 20; kept > 100+16 {
				t.Errorf("keeps %d MB", kept)
			}
			runtime.KeepAlive(n)
		})
	}
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
