package patch

import (
	"errors"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Error says why a patch cannot be applied. The issue has the message id, the place
// in the patch (line and column, if it was parsed, and for FHIRPath Patch the
// expression), and never quotes data, nor the patch.
type Error struct {
	fhir.Issue
	Operation int  // which one, from 0; -1 if none in particular
	Limit     bool // the patch or its result is over a limit
}

func (e *Error) Error() string {
	where := ""
	if e.Operation >= 0 {
		where = "operation " + strconv.Itoa(e.Operation+1) + ": "
	}
	if e.Line > 0 {
		where = strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column) + ": " + where
	}
	return where + e.Text + " [" + e.ID + "]"
}

// message is a kind of failure: its stable id, the issue type it travels under and
// its English text, in which % stands for a detail that is not data.
type message struct {
	id   string
	code fhir.IssueType
	text string
}

// The messages.
var (
	msgMalformed  = message{"patch-malformed", fhir.TypeStructure, "the patch is not %"}
	msgResource   = message{"patch-resource", fhir.TypeStructure, "what is to be patched is not %"}
	msgResult     = message{"patch-result", fhir.TypeInvalid, "the result is no resource: %"}
	msgUnknown    = message{"patch-operation-unknown", fhir.TypeNotSupported, "the operation is not one of %"}
	msgMissing    = message{"patch-part-missing", fhir.TypeRequired, "the operation needs %"}
	msgPart       = message{"patch-part-invalid", fhir.TypeValue, "% is not what the operation needs"}
	msgPathSyntax = message{"patch-path-syntax", fhir.TypeInvalid, "the path cannot be read: %"}
	msgPathFailed = message{"patch-path-failed", fhir.TypeProcessing, "the path cannot be evaluated: %"}

	msgNone   = message{"patch-target-none", fhir.TypeNotFound, "the path names nothing"}
	msgMany   = message{"patch-target-many", fhir.TypeProcessing, "the path names more than one element"}
	msgTarget = message{"patch-target-invalid", fhir.TypeProcessing, "the path does not name %"}
	msgExists = message{"patch-target-exists", fhir.TypeConflict, "there is one already, and the element cannot repeat"}
	msgName   = message{"patch-name-unknown", fhir.TypeStructure, "% has no element of this name"}
	msgType   = message{"patch-value-type", fhir.TypeStructure, "the value is not of the type that the element has: %"}
	msgIndex  = message{"patch-index", fhir.TypeValue, "the index is outside the list"}
	msgTest   = message{"patch-test-failed", fhir.TypeConflict, "the value is not what the test expects"}
	msgInto   = message{"patch-move-inside", fhir.TypeProcessing, "a value cannot move into itself"}
	msgEmpty  = message{"patch-empty", fhir.TypeRequired, "the patch has no operations"}

	msgOperations = message{"patch-too-many-operations", fhir.TypeTooCostly, "the patch has more than % operations"}
	msgDepth      = message{"patch-too-deep", fhir.TypeTooCostly, "the result nests deeper than %"}
	msgNodes      = message{"patch-too-many-values", fhir.TypeTooCostly, "the result has more than % values"}
	msgBytes      = message{"patch-too-large", fhir.TypeTooLong, "the result is larger than % bytes"}
	msgWork       = message{"patch-too-costly", fhir.TypeTooCostly, "more than % elements were looked at"}
	msgPath       = message{"patch-path-too-long", fhir.TypeTooLong, "the path is longer than % bytes"}
)

// MaxPath bounds the bytes of a path, a pointer or a selector.
const MaxPath = 8 << 10

func fail(m message, detail string) *Error {
	return &Error{Operation: -1, Issue: fhir.Issue{
		Severity: fhir.Error, Code: m.code, ID: m.id, Text: strings.Replace(m.text, "%", detail, 1)}}
}

// at adds place and operation to an error that has none.
func at(err error, operation int, expression string, line, column int) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Operation < 0 {
		e.Operation = operation
	}
	if e.Line == 0 {
		e.Line, e.Column = line, column
	}
	if e.Expression == "" {
		e.Expression = expression
	}
	return e
}
