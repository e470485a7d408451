package xmltext

import (
	_ "embed"

	"github.com/yilian/yilian/conformance/fhir"
)

//go:embed messages.txt
var messagesFile string

var texts = fhir.ReadMessages(messagesFile)

// failure is an error at a place, whose reason is a phrase.
func failure(line, column, offset int, reason string, details ...any) *fhir.SyntaxError {
	said := texts.Say(reason, details...)
	return &fhir.SyntaxError{Line: line, Column: column, Offset: offset, Reason: said.English, Chinese: said.Chinese}
}
