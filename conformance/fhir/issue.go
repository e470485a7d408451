package fhir

import (
	"strconv"
	"strings"
)

// Severity of an Issue, as http://hl7.org/fhir/issue-severity.
type Severity string

// The severities.
const (
	Fatal       Severity = "fatal"
	Error       Severity = "error"
	Warning     Severity = "warning"
	Information Severity = "information"
)

// IssueType is a code of http://hl7.org/fhir/issue-type.
type IssueType string

// The issue types this module uses.
const (
	TypeInvalid       IssueType = "invalid"
	TypeStructure     IssueType = "structure"
	TypeRequired      IssueType = "required"
	TypeValue         IssueType = "value"
	TypeInvariant     IssueType = "invariant"
	TypeSecurity      IssueType = "security"
	TypeLogin         IssueType = "login"
	TypeForbidden     IssueType = "forbidden"
	TypeProcessing    IssueType = "processing"
	TypeNotSupported  IssueType = "not-supported"
	TypeDuplicate     IssueType = "duplicate"
	TypeNotFound      IssueType = "not-found"
	TypeDeleted       IssueType = "deleted"
	TypeTooLong       IssueType = "too-long"
	TypeCodeInvalid   IssueType = "code-invalid"
	TypeTooCostly     IssueType = "too-costly"
	TypeBusinessRule  IssueType = "business-rule"
	TypeConflict      IssueType = "conflict"
	TypeTransient     IssueType = "transient"
	TypeException     IssueType = "exception"
	TypeTimeout       IssueType = "timeout"
	TypeThrottled     IssueType = "throttled"
	TypeIncomplete    IssueType = "incomplete"
	TypeInformational IssueType = "informational"
)

// Issue is a finding about data. ID names the message for programs and
// translations; Text says it in English and never contains the data itself. As JSON
// it is what interfaces and commands show and what is kept with a record.
type Issue struct {
	Severity   Severity  `json:"severity"`
	Code       IssueType `json:"code"`
	ID         string    `json:"id,omitempty"`         // stable message id, e.g. "element-unknown"
	Expression string    `json:"expression,omitempty"` // FHIRPath location, e.g. "Patient.name[0].given[1]"
	Origin     string    `json:"origin,omitempty"`     // place in the record a resource was made from, e.g. "OBX[3]-5"
	Line       int       `json:"line,omitempty"`       // in the parsed text, from 1; 0 when not known
	Column     int       `json:"column,omitempty"`
	Text       string    `json:"text"`
	// Chinese says the same in Chinese, "" where nobody has translated it. It is not
	// written into JSON: what reads that goes by ID.
	Chinese string `json:"-"`
}

// In returns the text in a language, named as in Accept-Language ("zh", "zh-CN",
// "en"): English where there is no other.
func (i Issue) In(language string) string {
	if isChinese(language) && i.Chinese != "" {
		return i.Chinese
	}
	return i.Text
}

// Chinese is the language in which texts are besides English.
const Chinese = "zh-CN"

func isChinese(language string) bool {
	primary, _, _ := strings.Cut(strings.ReplaceAll(language, "_", "-"), "-")
	return strings.EqualFold(primary, "zh")
}

// Display is the name of an issue type in a language, "" for codes that R4 does not
// have.
func (t IssueType) Display(language string) string {
	said := messages.texts["type-"+string(t)]
	if isChinese(language) {
		return said.Chinese
	}
	return said.English
}

// String writes the issue on one line, as a compiler does.
func (i Issue) String() string { return i.line("en") }

// line is String in a language.
func (i Issue) line(language string) string {
	severity, at, from := string(i.Severity), "at", "from"
	if isChinese(language) {
		at, from = messages.Say(at).Chinese, messages.Say(from).Chinese
		severity = messages.Say(severity).Chinese
	}
	var b strings.Builder
	if i.Line > 0 {
		b.WriteString(strconv.Itoa(i.Line) + ":")
		if i.Column > 0 {
			b.WriteString(strconv.Itoa(i.Column) + ":")
		}
		b.WriteString(" ")
	}
	b.WriteString(severity + ": " + i.In(language))
	if i.Expression != "" {
		b.WriteString(" " + at + " " + i.Expression)
	}
	if i.Origin != "" {
		b.WriteString(" " + from + " " + i.Origin)
	}
	if i.ID != "" {
		b.WriteString(" [" + i.ID + "]")
	}
	return b.String()
}

// HasErrors reports whether any issue is an error or fatal.
func HasErrors(issues []Issue) bool {
	for _, i := range issues {
		if i.Severity == Error || i.Severity == Fatal {
			return true
		}
	}
	return false
}
