package patch

import (
	_ "embed"
	"errors"
	"strconv"

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

//go:embed messages.txt
var messagesFile string

var texts = fhir.ReadMessages(messagesFile)

// The messages.
var (
	msgMalformed  = texts.New("patch-malformed", fhir.TypeStructure)
	msgResource   = texts.New("patch-resource", fhir.TypeStructure)
	msgResult     = texts.New("patch-result", fhir.TypeInvalid)
	msgUnknown    = texts.New("patch-operation-unknown", fhir.TypeNotSupported)
	msgMissing    = texts.New("patch-part-missing", fhir.TypeRequired)
	msgPart       = texts.New("patch-part-invalid", fhir.TypeValue)
	msgPathSyntax = texts.New("patch-path-syntax", fhir.TypeInvalid)
	msgPathFailed = texts.New("patch-path-failed", fhir.TypeProcessing)

	msgNone   = texts.New("patch-target-none", fhir.TypeNotFound)
	msgMany   = texts.New("patch-target-many", fhir.TypeProcessing)
	msgTarget = texts.New("patch-target-invalid", fhir.TypeProcessing)
	msgExists = texts.New("patch-target-exists", fhir.TypeConflict)
	msgName   = texts.New("patch-name-unknown", fhir.TypeStructure)
	msgType   = texts.New("patch-value-type", fhir.TypeStructure)
	msgIndex  = texts.New("patch-index", fhir.TypeValue)
	msgTest   = texts.New("patch-test-failed", fhir.TypeConflict)
	msgInto   = texts.New("patch-move-inside", fhir.TypeProcessing)
	msgEmpty  = texts.New("patch-empty", fhir.TypeRequired)

	msgOperations = texts.New("patch-too-many-operations", fhir.TypeTooCostly)
	msgDepth      = texts.New("patch-too-deep", fhir.TypeTooCostly)
	msgNodes      = texts.New("patch-too-many-values", fhir.TypeTooCostly)
	msgBytes      = texts.New("patch-too-large", fhir.TypeTooLong)
	msgWork       = texts.New("patch-too-costly", fhir.TypeTooCostly)
	msgPath       = texts.New("patch-path-too-long", fhir.TypeTooLong)
)

// MaxPath bounds the bytes of a path, a pointer or a selector.
const MaxPath = 8 << 10

func fail(m fhir.Message, details ...any) *Error {
	return &Error{Operation: -1, Issue: m.Issue(fhir.Error, details...)}
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
