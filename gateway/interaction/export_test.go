package interaction

// LeaveOver makes the engine take no more records with a resource in one transaction.
func (e *Engine) LeaveOver(records int) { e.leftovers = records }
