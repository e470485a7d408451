package fhirxml

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

//go:embed messages.txt
var messagesFile string

var texts = fhir.ReadMessages(messagesFile)

// The messages.
var (
	msgTooManyIssues = texts.New("too-many-issues", fhir.TypeTooCostly)
	msgTooDeep       = texts.New("too-deep", fhir.TypeTooCostly)

	msgResourceNotObject   = texts.New("resource-not-object", fhir.TypeStructure)
	msgResourceTypeUnknown = texts.New("resource-type-unknown", fhir.TypeInvalid)
	msgResourceMany        = texts.New("resource-many", fhir.TypeStructure)

	msgElementUnknown = texts.New("element-unknown", fhir.TypeStructure)
	msgElementTooMany = texts.New("element-too-many", fhir.TypeStructure)
	msgElementOrder   = texts.New(OutOfOrder, fhir.TypeStructure)
	msgElementEmpty   = texts.New("element-empty", fhir.TypeStructure)
	msgChoiceMultiple = texts.New("choice-multiple", fhir.TypeStructure)

	msgNamespace = texts.New("xml-namespace", fhir.TypeStructure)
	msgAttribute = texts.New("xml-attribute", fhir.TypeStructure)
	msgText      = texts.New("xml-text", fhir.TypeStructure)
	msgCharacter = texts.New("xml-character", fhir.TypeValue)

	msgValueEmpty   = texts.New("value-empty", fhir.TypeValue)
	msgValueBoolean = texts.New("value-boolean", fhir.TypeValue)
	msgValueNumber  = texts.New("value-number", fhir.TypeValue)

	msgArrayExpected   = texts.New("array-expected", fhir.TypeStructure)
	msgArrayUnexpected = texts.New("array-unexpected", fhir.TypeStructure)
	msgArrayEmpty      = texts.New("array-empty", fhir.TypeStructure)
	msgArrayMisaligned = texts.New("array-misaligned", fhir.TypeStructure)
	msgObjectExpected  = texts.New("object-expected", fhir.TypeStructure)
	msgObjectEmpty     = texts.New("object-empty", fhir.TypeStructure)
	msgJSONType        = texts.New("json-type", fhir.TypeStructure)
	msgNullUnexpected  = texts.New("null-unexpected", fhir.TypeStructure)
	msgAttributeExtra  = texts.New("xml-attribute-extension", fhir.TypeStructure)

	msgNarrativeMalformed = texts.New("xhtml-malformed", fhir.TypeInvalid)
	msgNarrativeRoot      = texts.New("xhtml-root", fhir.TypeInvalid)
	msgNarrativeForeign   = texts.New("xhtml-namespace", fhir.TypeInvalid)
)

// MaxIssues bounds how many issues one document gives; with the last of them
// reading or writing stops.
const MaxIssues = 1000

// report collects issues and knows where in the resource they are.
type report struct {
	issues []fhir.Issue
	path   []step
	full   bool // no more issues are taken; the work ends
}

type step struct {
	name  string
	index int // -1 where the element cannot repeat
}

func (r *report) enter(name string, index int) { r.path = append(r.path, step{name, index}) }
func (r *report) leave()                       { r.path = r.path[:len(r.path)-1] }

func (r *report) add(severity fhir.Severity, m fhir.Message, detail, below string, line, column int) {
	if r.full {
		return
	}
	if len(r.issues) == MaxIssues {
		r.full = true
		severity, m, detail, below = fhir.Fatal, msgTooManyIssues, strconv.Itoa(MaxIssues), ""
	}
	i := m.Issue(severity, detail)
	i.Expression, i.Line, i.Column = r.expression(below), line, column
	r.issues = append(r.issues, i)
}

func (r *report) expression(below string) string {
	var b strings.Builder
	for i, s := range r.path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	if below != "" {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(below)
	}
	return b.String()
}

// maxIdentifier is the length up to which a name that no definition has is shown.
const maxIdentifier = 64

// identifier is name if it looks like that of an element and not like data.
func identifier(name string) string {
	if len(name) > maxIdentifier {
		return ""
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return ""
		}
	}
	return name
}

// OutOfOrder is the id of the issue about an element that is not in its place among
// the others. The tree is the same as if it were.
const OutOfOrder = "element-order"
