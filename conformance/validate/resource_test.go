package validate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/testenv"
)

// faulty are official examples that break the specification, with the kinds of
// error each has.
var faulty = map[string][]string{
	// The GL string's part for an address is called url, not uri.
	"Bundle-hla-1.json": {"extension-part-unknown"},
	// The parent of a DeviceMetric is a Device; this is a DeviceDefinition.
	"DeviceMetric-example.json": {"reference-target-type"},
	// A Procedure is no reason to use a device.
	"DeviceUseStatement-example.json": {"reference-target-type"},
	// The guide has no name and no status, and names a resource by an id of 69
	// characters.
	"ImplementationGuide-fhir.json": {"reference-format", "element-missing"},
	"ig-r4.json":                    {"reference-format", "element-missing"},
	// urn:oid:X.Y.Z stands for an OID nobody filled in.
	"Library-zika-virus-intervention-logic.json": {"format-canonical"},
	// Who dispenses is an Organization, not a Practitioner.
	"MedicationRequest-medrx0301.json": {"reference-target-type"},
	// An Encounter performs nothing.
	"Observation-clinical-gender.json": {"reference-target-type"},
	// Nested items of type display have no linkId.
	"Questionnaire-qs1.json": {"element-missing"},
}

func TestOfficialExamplesConform(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 700 {
		t.Fatalf("found %d examples: %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n, err := fhir.Parse(data, fhir.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var kinds []string
		var errors []fhir.Issue
		for _, i := range validator.Resource(n) {
			if i.Severity != fhir.Error {
				continue
			}
			errors = append(errors, i)
			if !slices.Contains(kinds, i.ID) {
				kinds = append(kinds, i.ID)
			}
		}
		if diff := cmp.Diff(faulty[name], kinds); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", name, diff, errors)
		}
	}
}

// TestEveryTypeCompiles also compiles what their elements lead to.
func TestEveryTypeCompiles(t *testing.T) {
	defs := definitions.R4()
	for _, name := range defs.TypeNames() {
		if !validator.Compile(name) {
			t.Errorf("%s has no plan", name)
		}
		for _, e := range defs.Type(name).Elements() {
			for _, ref := range e.Types {
				if !validator.Compile(ref.Code) {
					t.Errorf("%s: type %s has no plan", e.Path, ref.Code)
				}
			}
		}
	}
}

func TestConcurrentFirstUse(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{})
	n := parse(t, observation(`,"subject":{"reference":"Patient/1"},"valueQuantity":{"value":1,"comparator":"?"}`))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := len(v.Resource(n)); got != 1 {
					t.Errorf("%d issues, want 1", got)
				}
			}
		})
	}
	wg.Wait()
}

func TestIssuesAreBounded(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{MaxIssues: 5})
	got := findings(v.Resource(parse(t, patient(`,"name":[`+strings.Repeat("{},", 1000)+`{}]`))))
	if len(got) != 6 || !strings.HasPrefix(got[5], "too-many-issues") {
		t.Errorf("got %d issues: %v", len(got), got)
	}
}

func TestDepthIsBounded(t *testing.T) {
	extension := &fhir.Node{}
	for i := range 10_000 {
		n := fhir.NewObject().SetString("url", "http://a.b")
		if i > 0 {
			n.Set("extension", fhir.NewArray(extension))
		}
		extension = n
	}
	p := fhir.NewObject().SetString("resourceType", "Patient").Set("extension", fhir.NewArray(extension))
	got := findings(validator.Resource(p))
	if len(got) != 1 || !strings.HasPrefix(got[0], "too-deep at Patient.extension[0]") {
		t.Errorf("got %.300q", got)
	}
}

// TestTimeGrowsWithSize holds hostile shapes to linear time: four times the
// size may take at most twelve times as long, where quadratic time would take
// sixteen, with slack for a busy machine.
func TestTimeGrowsWithSize(t *testing.T) {
	shapes := map[string]func(n int) string{
		"many names": func(n int) string {
			return patient(`,"name":[` + strings.Repeat(`{"text":"x"},`, n) + `{"text":"x"}]`)
		},
		"many values beside extensions": func(n int) string {
			return patient(`,"name":[{"given":[` + strings.Repeat(`"a",`, n) + `"a"],"_given":[` + strings.Repeat(`null,`, n) + `null]}]`)
		},
		"many unknown properties": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, `,"_x%d":1`, i)
			}
			return patient(b.String())
		},
		"many contained resources": func(n int) string {
			var b, refs strings.Builder
			for i := range n {
				fmt.Fprintf(&b, `,{"resourceType":"Organization","id":"o%d"}`, i)
				fmt.Fprintf(&refs, `,{"reference":"#o%d"}`, i)
			}
			return patient(`,"contained":[` + b.String()[1:] + `],"generalPractitioner":[` + refs.String()[1:] + `]`)
		},
		"a long narrative": func(n int) string {
			return patient(`,"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">` + strings.Repeat(`<p>a &amp; b</p>`, n) + `</div>"}`)
		},
	}
	for name, make := range shapes {
		t.Run(name, func(t *testing.T) {
			const n = 20_000
			small, large := parse(t, make(n)), parse(t, make(4*n))
			spend := func(r *fhir.Node) time.Duration {
				best := time.Hour
				for range 3 {
					start := time.Now()
					validator.Resource(r)
					best = min(best, time.Since(start))
				}
				return best
			}
			spend(small)
			a, b := spend(small), spend(large)
			if b > 12*a+20*time.Millisecond {
				t.Errorf("4 times the size took %v after %v", b, a)
			}
		})
	}
}

func FuzzResource(f *testing.F) {
	f.Add(observation(`,"_status":{"id":"x"},"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}`))
	f.Add(patient(`,"name":[{"given":[null,"a"],"_given":[{"id":"b"},null]}],"extension":[{"url":"x","valueCode":"y"}]`))
	f.Add(patient(`,"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x<br/></div>"}`))
	f.Add(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]}`)
	f.Fuzz(func(_ *testing.T, text string) {
		if n, err := fhir.Parse([]byte(text), fhir.Limits{}); err == nil {
			validator.Resource(n)
		}
	})
}

// glucose is a made-up Observation of 1.5 kB as a laboratory feed gives one.
const glucose = `{
  "resourceType": "Observation",
  "id": "7f4e0d2a9c1b4c56",
  "meta": {"versionId": "1", "lastUpdated": "2024-05-06T08:30:12.345+08:00", "source": "https://yilian.dev/institution/lab/record/18",
    "tag": [{"system": "https://yilian.dev/fhir/institution", "code": "lab"}]},
  "identifier": [{"use": "official", "system": "https://lab.example/results", "value": "2024050600123-GLU"}],
  "basedOn": [{"reference": "ServiceRequest/4b1d7f"}],
  "status": "final",
  "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory", "display": "Laboratory"}]}],
  "code": {"coding": [{"system": "http://loinc.org", "code": "14749-6", "display": "Glucose [Moles/volume] in Serum or Plasma"},
    {"system": "https://lab.example/items", "code": "GLU", "display": "葡萄糖"}], "text": "葡萄糖"},
  "subject": {"reference": "Patient/0a9d3c", "display": "测试患者"},
  "encounter": {"reference": "Encounter/77c1"},
  "effectiveDateTime": "2024-05-06T07:10:00+08:00",
  "issued": "2024-05-06T08:30:00+08:00",
  "performer": [{"reference": "Organization/lab", "display": "区域检验中心"}],
  "valueQuantity": {"value": 7.80, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
  "interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}], "text": "↑"}],
  "referenceRange": [{"low": {"value": 3.9, "unit": "mmol/L"}, "high": {"value": 6.1, "unit": "mmol/L"}, "text": "3.9-6.1"}]
}`

// TestObservationTakesFewPieces holds what a thorough judgement takes from the heap: the run, the scope of the resource,
// its findings, and no texts of findings that nobody gets.
func TestObservationTakesFewPieces(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true})
	n := parse(t, glucose)
	for range 20 {
		v.Resource(n)
	}
	if got := testing.AllocsPerRun(100, func() { v.Resource(n) }); got > maxObservationPieces {
		t.Errorf("%v allocations, at most %d are allowed", got, maxObservationPieces)
	}
}

const maxObservationPieces = 9

func BenchmarkObservation(b *testing.B) {
	for _, mode := range []struct {
		name    string
		options validate.Options
	}{{"shape", validate.Options{}}, {"thorough", validate.Options{Thorough: true}}} {
		b.Run(mode.name, func(b *testing.B) {
			v := validate.New(definitions.R4(), mode.options)
			n := parse(b, glucose)
			if issues := v.Resource(n); fhir.HasErrors(issues) {
				b.Fatal(issues)
			}
			b.SetBytes(int64(len(glucose)))
			b.ReportAllocs()
			for b.Loop() {
				v.Resource(n)
			}
		})
	}
}
