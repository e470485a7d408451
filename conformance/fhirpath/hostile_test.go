//go:build unix

package fhirpath_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// maxHostile is how much processor time any expression may take on any resource,
// with the limits that hold by default. Time by the clock is other work's too.
const maxHostile = time.Second

// manyNames is a Patient of some 200 kB with n names, all different.
func manyNames(t *testing.T, n int) *fhir.Node {
	t.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(`{"family":"F%d","given":["G%d","H%d"],"extension":[{"url":"urn:x","valueDecimal":%d.5}]}`, i, i, i, i)
	}
	return parse(t, `{"resourceType":"Patient","id":"p","name":[`+strings.Join(names, ",")+`]}`)
}

// Each of these grows with a power of what it is given, or for ever.
func TestHostileExpressionsEndInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	large := manyNames(t, 2500)
	long := strings.Repeat("a", 60_000)
	same := parse(t, `{"resourceType":"Patient","name":[`+strings.Repeat(`{"text":"a"},`, 100_000)+`{"text":"b"}]}`)
	for _, row := range []struct{ name, expression string }{
		{"every descendant of every descendant", "descendants().descendants().descendants().count()"},
		{"all pairs", "name.where(%resource.name.where($this = name).exists())"},
		{"all pairs of descendants", "descendants().where(%resource.descendants().exists($this = 1)).count()"},
		{"all triples", "name.all(%resource.name.all(%resource.name.all(true)))"},
		{"a union of everything with itself", "descendants() | descendants()"},
		{"distinct complex values", "name.distinct().count()"},
		{"distinct decimals", "name.extension.value.distinct().count()"},
		{"equivalence of everything", "name ~ name.tail().combine(name.first())"},
		{"equivalence of resources", "name.all(%resource ~ %resource)"},
		{"equality of resources", "name.all(%resource = %resource)"},
		{"intersection", "name.intersect(name).count()"},
		{"exclusion", "name.exclude(name.tail()).count()"},
		{"subset", "name.subsetOf(name)"},
		{"membership", "name.all($this in %resource.name)"},
		{"a repeat that never ends", "name.repeat($this | 1).repeat($this.descendants())"},
		{"a repeat over everything", "Patient.repeat(descendants())"},
		{"a repeat that grows", "(1).repeatAll($this | ($this + 1))"},
		{"a repeat of numbers", "(1).repeat($this + 1)"},
		{"a repeat of texts", "('a').repeat($this & 'a')"},
		{"text that doubles", "name.aggregate($total & $total & 'x', 'x')"},
		{"replacing every character", "name.aggregate($total.replace('x', 'xx'), 'xx')"},
		{"a pattern that backtracks elsewhere", "'" + strings.Repeat("a", 30_000) + "!'.matches('^(a+)+$')"},
		{"a large pattern", "name.family.first().matches('" + strings.Repeat("(a?){50}", 30) + "')"},
		{"many patterns", "descendants().select(iif($this is string, $this, '').matches($this.toString() & '(x+x+)+y'))"},
		{"a search in long text", "'" + long + "'.toChars().where('" + long[:1000] + "'.contains($this)).count()"},
		{"splitting long text", "'" + long + "'.toChars().select('" + long[:4000] + "'.split('a')).count()"},
		{"joining", "name.aggregate($total | ('a' | 'b').join('x'), {}).join('y').length()"},
		{"sorting by what takes long", "name.sort(%resource.descendants().count())"},
		{"sorting twice", "descendants().select(toString()).sort($this).sort(-$this).count()"},
		{"powers", "name.select(2.power(1000).power(7).exp())"},
		{"logarithms", "descendants().select(1.000000001.ln().exp().sqrt().log(3)).count()"},
		{"powers with fractions", "descendants().select(1.5.power(7.123456789)).count()"},
		{"boundaries", "descendants().select(1.2345678.lowBoundary(28).highBoundary(28)).count()"},
		{"years", "name.select(@2000-01-01 + 8000 years - 9000 years + 100000000 days)"},
		{"milliseconds", "name.select(@T00:00:00.000 + 99999999999999999 milliseconds)"},
		{"units", "descendants().select(1 'kg.m2.s-2' * 1 'kg.m2.s-2' * 1 'm4' / 1 'g3')"},
		{"variables", "name.select(defineVariable('a', %resource.descendants()).select(%a.count()))"},
		{"trace", "name.select(%resource.descendants().trace('x')).count()"},
		{"a deep expression", strings.Repeat("(", 190) + "descendants()" + strings.Repeat(".descendants())", 190)},
		{"a long path", "name" + strings.Repeat(".combine(%resource.name)", 2000)},
		{"a long sum", "1" + strings.Repeat("+1", 4000)},
		{"a long union", "name" + strings.Repeat("|name", 2000)},
		{"types", "descendants().select(descendants().ofType(string)).count()"},
		{"extensions", "descendants().select(%resource.descendants().extension('urn:x')).count()"},
		{"resolve", "descendants().select(%resource.descendants().resolve()).count()"},
		{"narrative", "descendants().select(%resource.descendants().select(htmlChecks())).count()"},
		{"all children", "descendants().children().children().combine(descendants().children()).combine(descendants()).distinct().count()"},
	} {
		t.Run(row.name, func(t *testing.T) {
			start := processorTime(t)
			x, err := model().Compile(row.expression, fhirpath.Options{Context: "Patient"})
			if took := processorTime(t) - start; took > maxHostile {
				t.Errorf("compiling took %v", took)
			}
			var syntax *fhirpath.SyntaxError
			if err != nil {
				if !errors.As(err, &syntax) {
					t.Fatal(err)
				}
				t.Logf("%.60s", err)
				return
			}
			for name, resource := range map[string]*fhir.Node{"different names": large, "equal names": same} {
				runtime.GC()
				start := processorTime(t)
				_, err = x.Evaluate(&fhirpath.Env{Resolver: fhirpath.TypesOnly}, resource)
				took := processorTime(t) - start
				var failed *fhirpath.EvaluationError
				if err != nil && !errors.As(err, &failed) {
					t.Fatal(err)
				}
				t.Logf("%s: %v %.80v", name, took, err)
				if took > maxHostile {
					t.Errorf("%s: took %v", name, took)
				}
			}
		})
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
