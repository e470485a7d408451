package validate_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

// alliancePatient is a profile such as an alliance has: slices of identifiers by
// system, a name, an extension, codes, rules.
const alliancePatient = `{"id":"Patient","path":"Patient","constraint":[{"key":"al-1","severity":"error","human":"x","expression":"name.exists() or identifier.exists()"}]},
	{"id":"Patient.identifier","path":"Patient.identifier","min":1,"slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
	{"id":"Patient.identifier:resident","path":"Patient.identifier","sliceName":"resident","max":"1"},
	{"id":"Patient.identifier:resident.system","path":"Patient.identifier.system","min":1,"fixedUri":"https://a.example/resident"},
	{"id":"Patient.identifier:resident.value","path":"Patient.identifier.value","min":1,"constraint":[{"key":"al-2","severity":"error","human":"x","expression":"matches('^[0-9]{17}[0-9X]$')"}]},
	{"id":"Patient.identifier:number","path":"Patient.identifier","sliceName":"number","min":1,"max":"*"},
	{"id":"Patient.identifier:number.system","path":"Patient.identifier.system","min":1,"fixedUri":"https://a.example/number"},
	{"id":"Patient.name","path":"Patient.name","min":1},
	{"id":"Patient.name.text","path":"Patient.name.text","min":1},
	{"id":"Patient.gender","path":"Patient.gender","min":1},
	{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}`

func patients(n int) string {
	var b strings.Builder
	b.WriteString(`{"resourceType":"Bundle","type":"collection","entry":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"fullUrl":"https://a.example/fhir/Patient/p%d","resource":{"resourceType":"Patient","id":"p%d","meta":{"profile":["https://a.example/patient"]},
			"identifier":[{"use":"official","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"https://a.example/number","value":"%d"},
			{"system":"https://a.example/resident","value":"990000199001010013"}],
			"name":[{"use":"official","text":"测试者","family":"测","given":["试者"]}],"telecom":[{"system":"phone","value":"12000000000"}],"gender":"female","birthDate":"1990-01-01",
			"address":[{"text":"x","city":"y","district":"z"}],"contact":[{"relationship":[{"text":"x"}],"name":{"text":"y"}}]}}`, i, i, i)
	}
	return b.String() + "]}"
}

func allianceSource(t testing.TB) library {
	return shelve(t, constraint("https://a.example/patient", "Patient", alliancePatient))
}

// BenchmarkPatients validates a Bundle of 100 Patients against their profile.
func BenchmarkPatients(b *testing.B) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: allianceSource(b)})
	n := parse(b, patients(100))
	if issues := v.Resource(n); len(issues) > 0 {
		b.Fatal(issues)
	}
	b.ReportAllocs()
	for b.Loop() {
		v.Resource(n)
	}
}

// BenchmarkPatientsCold does so from a new process each time, which has
// everything still to read and compile.
func BenchmarkPatientsCold(b *testing.B) {
	if os.Getenv("YILIAN_COLD") == "1" {
		return
	}
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestColdProcess$")
		cmd.Env = append(os.Environ(), "YILIAN_COLD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatal(err, string(out))
		}
	}
}

// TestColdProcess is the process of BenchmarkPatientsCold.
func TestColdProcess(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: allianceSource(t)})
	if issues := v.Resource(parse(t, patients(100))); len(issues) > 0 {
		t.Fatal(issues)
	}
}

// TestBundlesGrowLinearly compares 10,000 entries with 2,500: four times the
// size may take at most twelve times as long, where quadratic time would take
// sixteen.
func TestBundlesGrowLinearly(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: allianceSource(t)})
	if testing.Short() {
		t.Skip("takes seconds")
	}
	spend := func(n *fhir.Node) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			if issues := v.Resource(n); len(issues) > 0 {
				t.Fatal(issues[:1])
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	small, large := parse(t, patients(2500)), parse(t, patients(10_000))
	a, b := spend(small), spend(large)
	t.Logf("2,500 entries in %v, 10,000 in %v", a, b)
	if b > 12*a+200*time.Millisecond {
		t.Errorf("4 times the entries took %v after %v", b, a)
	}
}

func FuzzThorough(f *testing.F) {
	f.Add(observation(`,"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"},"valueQuantity":{"value":1e400,"system":"http://unitsofmeasure.org","code":"kg"}`))
	f.Add(patients(2))
	f.Add(`{"resourceType":"Bundle","type":"document","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Composition","author":[{"reference":"A/b"}]}}]}`)
	f.Add(`{"resourceType":"QuestionnaireResponse","questionnaire":"#q","status":"completed","contained":[{"resourceType":"Questionnaire","id":"q","item":[{"linkId":"1","type":"string","enableWhen":[{"question":"1","operator":"exists","answerBoolean":true}]}]}],"item":[{"linkId":"1","answer":[{"valueString":"x"}]}]}`)
	f.Add(`{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","resource":{"resourceType":"Patient"}}]}]}`)
	f.Add(`{"resourceType":"StructureDefinition","derivation":"constraint","type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[{"path":"Patient.x"}]}}`)
	f.Add(patient(`,"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{}}],"_birthDate":{"extension":[{}]}`))
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, Source: allianceSource(f)})
	f.Fuzz(func(_ *testing.T, text string) {
		if n, err := fhir.Parse([]byte(text), fhir.Limits{}); err == nil {
			v.Conforms(n, "https://a.example/patient")
		}
	})
}

// FuzzProfile compiles arbitrary profiles.
func FuzzProfile(f *testing.F) {
	f.Add(constraint("https://a.example/x", "Patient", alliancePatient))
	f.Add(`{"resourceType":"StructureDefinition","url":"https://a.example/x","type":"Patient","snapshot":{"element":[{"path":"Patient"},{"path":"Patient.name","sliceName":"a/b/c","slicing":{"discriminator":[{"type":"value","path":"a.resolve().extension('"}]}},{"path":"Patient.name","sliceName":"d"}]}}`)
	n, err := fhir.Parse([]byte(patients(1)), fhir.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	resource := n.Path("entry", "resource")
	f.Fuzz(func(_ *testing.T, text string) {
		p, err := fhir.Parse([]byte(text), fhir.Limits{})
		if err != nil || p.ResourceType() != "StructureDefinition" {
			return
		}
		url := p.Get("url").Text()
		v := validate.New(definitions.R4(), validate.Options{Thorough: true, Source: library{"StructureDefinition " + url: p}})
		v.Conforms(resource, url)
	})
}
