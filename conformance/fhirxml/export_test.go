package fhirxml

// StandingNarrative is a narrative as it is written, "" if it is not.
func StandingNarrative(text string) string {
	text, _, _ = writableNarrative(text)
	return text
}
