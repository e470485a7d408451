package validate_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

// TestConcurrentProfiles compiles types, profiles and value sets from many
// goroutines at once.
func TestConcurrentProfiles(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, NoBestPractice: true, Source: allianceSource(t)})
	n := parse(t, patients(3))
	wrong := parse(t, patient(`,"meta":{"profile":["https://a.example/patient"]}`))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := v.Resource(n); len(got) != 0 {
					t.Errorf("%v", got)
				}
				if got := v.Resource(wrong); len(got) != 6 { // a rule, identifier and its slice, name, gender, birthDate
					t.Errorf("%d findings: %v", len(got), all(got))
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestValidatorKeepsNoResource judges a resource that claims a profile, and wants its text to be free afterwards: a
// validator that runs for months must not hold parts of what it has seen.
func TestValidatorKeepsNoResource(t *testing.T) {
	v := validate.New(definitions.R4(), validate.Options{Thorough: true, Source: allianceSource(t)})
	freed := make(chan struct{})
	func() {
		text := []byte(patients(3))
		runtime.AddCleanup(&text[0], func(c chan struct{}) { close(c) }, freed)
		n, err := fhir.Parse(text, fhir.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		v.Resource(n)
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-freed:
			runtime.KeepAlive(v)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("the text of the resource is still held")
	runtime.KeepAlive(v)
}
