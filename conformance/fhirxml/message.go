package fhirxml

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// message is a kind of finding: its stable id, the issue type it travels under and
// its English text, in which % stands for a detail that comes from the
// definitions, never from the data. Ids that package validate has too mean the
// same.
type message struct {
	id   string
	code fhir.IssueType
	text string
}

// The messages.
var (
	msgTooManyIssues = message{"too-many-issues", fhir.TypeTooCostly, "stopped after % issues"}
	msgTooDeep       = message{"too-deep", fhir.TypeTooCostly, "values nest deeper than % levels"}

	msgResourceNotObject   = message{"resource-not-object", fhir.TypeStructure, "a resource must be a JSON object"}
	msgResourceTypeUnknown = message{"resource-type-unknown", fhir.TypeInvalid, "the name is not that of a resource of FHIR R4"}
	msgResourceMany        = message{"resource-many", fhir.TypeStructure, "% holds one resource and not several"}

	msgElementUnknown = message{"element-unknown", fhir.TypeStructure, "% has no element of this name"}
	msgElementTooMany = message{"element-too-many", fhir.TypeStructure, "% occurs more often than allowed"}
	msgElementOrder   = message{OutOfOrder, fhir.TypeStructure, "% stands behind elements that must follow it"}
	msgElementEmpty   = message{"element-empty", fhir.TypeStructure, "% has neither a value nor content"}
	msgChoiceMultiple = message{"choice-multiple", fhir.TypeStructure, "% may have only one of its types"}

	msgNamespace = message{"xml-namespace", fhir.TypeStructure, "the element is in the wrong namespace, expected %"}
	msgAttribute = message{"xml-attribute", fhir.TypeStructure, "% has no attribute of this name"}
	msgText      = message{"xml-text", fhir.TypeStructure, "text where only elements may stand"}
	msgCharacter = message{"xml-character", fhir.TypeValue, "the text contains a character that XML does not have"}

	msgValueEmpty   = message{"value-empty", fhir.TypeValue, "an attribute must not be empty"}
	msgValueBoolean = message{"value-boolean", fhir.TypeValue, "the value must be true or false"}
	msgValueNumber  = message{"value-number", fhir.TypeValue, "the value must be a number"}

	msgArrayExpected   = message{"array-expected", fhir.TypeStructure, "% may repeat and must be a JSON array"}
	msgArrayUnexpected = message{"array-unexpected", fhir.TypeStructure, "% cannot repeat and must not be a JSON array"}
	msgArrayEmpty      = message{"array-empty", fhir.TypeStructure, "% must not be an empty array"}
	msgArrayMisaligned = message{"array-misaligned", fhir.TypeStructure, "the values of % and their extensions must be arrays of the same length"}
	msgObjectExpected  = message{"object-expected", fhir.TypeStructure, "% must be a JSON object"}
	msgObjectEmpty     = message{"object-empty", fhir.TypeStructure, "% must not be an empty object"}
	msgJSONType        = message{"json-type", fhir.TypeStructure, "the value must be a JSON %"}
	msgNullUnexpected  = message{"null-unexpected", fhir.TypeStructure, "null is only allowed to keep the place of a value beside primitive extensions"}
	msgAttributeExtra  = message{"xml-attribute-extension", fhir.TypeStructure, "% is written as it is in XML and cannot have an id or extensions"}

	msgNarrativeMalformed = message{"xhtml-malformed", fhir.TypeInvalid, "the narrative is not well-formed XHTML"}
	msgNarrativeRoot      = message{"xhtml-root", fhir.TypeInvalid, "the narrative must be a div element in the XHTML namespace"}
	msgNarrativeForeign   = message{"xhtml-namespace", fhir.TypeInvalid, "the narrative contains an element or attribute of another namespace than XHTML's"}
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

func (r *report) add(severity fhir.Severity, m message, detail, below string, line, column int) {
	if r.full {
		return
	}
	if len(r.issues) == MaxIssues {
		r.full = true
		severity, m, detail, below = fhir.Fatal, msgTooManyIssues, strconv.Itoa(MaxIssues), ""
	}
	r.issues = append(r.issues, fhir.Issue{
		Severity: severity, Code: m.code, ID: m.id, Expression: r.expression(below), Line: line, Column: column,
		Text: strings.Replace(m.text, "%", detail, 1),
	})
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
