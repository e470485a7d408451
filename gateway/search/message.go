package search

import (
	_ "embed"
	"errors"

	"github.com/yilian/yilian/conformance/fhir"
)

//go:embed messages.txt
var messagesFile string

// phrases are what findings say, in both languages.
var phrases = fhir.ReadMessages(messagesFile)

func issue(severity fhir.Severity, code fhir.IssueType, id string, said fhir.Text) fhir.Issue {
	return fhir.Issue{Severity: severity, Code: code, ID: id, Text: said.English, Chinese: said.Chinese}
}

// textOf is what an error says.
func textOf(err error) fhir.Text {
	var speaker fhir.Speaker
	if errors.As(err, &speaker) {
		return speaker.Texts()
	}
	return phrases.Say(err.Error())
}
