package testscript

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Limits of one path.
const (
	MaxPathBytes = 4096
	maxPathDepth = 32      // nesting of predicates and brackets
	maxPathSteps = 500_000 // nodes looked at
)

var errPathCost = fmt.Errorf("the path looks at more than %d nodes", maxPathSteps)

// evaluatePath returns what an XPath or JSONPath finds, as text. JSONPath begins with $; all else is XPath, which sees
// the XML form of the resource whatever form it came in.
func evaluatePath(text string, n *fhir.Node) ([]string, error) {
	if len(text) > MaxPathBytes {
		return nil, fmt.Errorf("the path is over %d bytes", MaxPathBytes)
	}
	if n == nil {
		return nil, errors.New("there is no resource to look into")
	}
	if t := strings.TrimSpace(text); strings.HasPrefix(t, "$") {
		return evaluateJSONPath(t, n)
	}
	return evaluateXPath(text, n)
}
