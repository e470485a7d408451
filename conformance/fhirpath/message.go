package fhirpath

import (
	_ "embed"

	"github.com/yilian/yilian/conformance/fhir"
)

//go:embed messages.txt
var messagesFile string

// texts are what errors say. Phrases only: errors of this package have a place, not
// an id.
var texts = fhir.ReadMessages(messagesFile)
