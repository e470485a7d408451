package store

import "time"

// Identifier is a business identifier as identity compares it: canonical system
// and normalised value.
type Identifier struct{ System, Value string }

// Link ties an institution's Patient to its person. The links without an end are
// the truth about who is the same person; ended ones are its history.
type Link struct {
	Person      string
	Patient     string // id of the Patient resource
	Institution string
	Rule        string // which rule decided, e.g. "resident-id"
	Reason      string // what was compared, never the values
	Since       time.Time
	Until       time.Time // zero while it holds
}

// Person is the alliance-level Patient. A merged person points at the one that
// took it over.
type Person struct {
	ID       string
	Into     string // surviving person; "" for a living one
	Since    time.Time
	MergedAt time.Time
}

// Review is a pair of Patients that a rule would have joined, had not another
// said no; a human decides.
type Review struct {
	ID         int64
	PatientA   string
	PatientB   string
	Rule       string
	Reason     string
	Since      time.Time
	Resolution string // "", "linked", "distinct"
}

// Features are what identity knows of a Patient: its strong identifiers and what
// contradicts a match.
type Features struct {
	Patient     string
	Institution string
	Strong      []Identifier // resident id, health card, a member's own number: at most one person each
	Name        string       // folded
	Gender      string
	Birth       string
}
