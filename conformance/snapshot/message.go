package snapshot

import (
	_ "embed"

	"github.com/yilian/yilian/conformance/fhir"
)

//go:embed messages.txt
var messagesFile string

// texts are phrases, since one id stands for several of them.
var texts = fhir.ReadMessages(messagesFile)
