// Package memory is what one process keeps for itself where no Redis is: values that
// may be forgotten, counters of what happened lately, and the bell that wakes those who
// wait. It fulfils the interfaces of package cached, as package redis does, and its
// bounds hold whatever clients do.
package memory
