package validate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/score"
	"github.com/yilian/yilian/internal/testenv"
)

// maxFaultyExamples is how many entries the list of faulty examples may have.
const maxFaultyExamples = 10

func TestScoreExamplesValid(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 720 {
		t.Fatal(len(files), err)
	}
	faulty := score.Exceptions(t, "testdata/examples.txt")
	if len(faulty) > maxFaultyExamples {
		t.Errorf("%d kinds of examples are said to be at fault", len(faulty))
	}
	for names, reason := range faulty { // the same fault may stand in several files
		delete(faulty, names)
		for name := range strings.SplitSeq(names, ",") {
			faulty[name] = reason
		}
	}
	v := validate.New(definitions.R4(), validate.Options{Thorough: true})
	passed := 0
	start := time.Now()
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := parse(t, string(text))
		var errors []string
		for _, i := range v.Resource(n) {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				errors = append(errors, i.String())
			}
		}
		_, known := faulty[name]
		delete(faulty, name)
		switch {
		case len(errors) == 0 && known:
			t.Errorf("%s is on the list of faulty examples and has no error", name)
		case len(errors) == 0:
			passed++
		case !known:
			t.Errorf("%s:\n\t%s", name, strings.Join(errors, "\n\t"))
		}
	}
	for name := range faulty {
		t.Errorf("%s is on the list of faulty examples and is no example", name)
	}
	t.Logf("%d examples in %v", len(files), time.Since(start).Round(time.Millisecond))
	score.Report(t, "examples-valid", passed, len(files))
}
