package validate_test

import (
	"sync"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
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
