package store

// Foresight is what a transaction knows of itself when it begins, so that a store
// behind a network locks and answers it all at once. But for Names it is a hint: what
// was not foreseen is asked for when it is needed, and what was may stay unasked.
type Foresight struct {
	// Names are locked as by Lock, which is not called then.
	Names []string
	// Creates are the resources that it makes, Replaces those of which it writes another
	// version, or which it advances.
	Creates, Replaces []Key
	// Arrives lists, by type, the identifiers for which it asks who is Waiting.
	Arrives map[string][]Identifier
	// Strong and Patients are what it asks Features for; of the Patients it asks for the
	// links too, and for those of their persons.
	Strong   []Identifier
	Patients []string
	// States are those that it holds, by name and number.
	States []State
	// Brief says that it asks for little else, and for nothing that takes long, so that
	// it may be carried out together with others. It never waits for another transaction
	// of the same process.
	Brief bool
}
