package store

import (
	"context"

	"github.com/yilian/yilian/gateway/fault"
)

// State is something small that all processes of a gateway agree on, such as which
// search parameters hold, or how far a job is.
type State struct {
	Name    string
	Number  int64 // 1, 2, 3 … with each change; 0: it is not set
	Content []byte
}

// MaxState bounds the content of a state.
const MaxState = 1 << 20

// ErrState ends a transaction that rests on a state which another one changed.
var ErrState error = fault.New(fault.Conflict, "another transaction changed a state that this one rests on")

// States reads states as they are committed.
type States interface {
	// State returns the state of that name; its Number is 0 when it is not set.
	State(ctx context.Context, name string) (State, error)
	// States returns those whose names begin with prefix, by name.
	States(ctx context.Context, prefix string) ([]State, error)
}

// StateTx lets transactions rest on states and change them. What either method refuses
// ends the transaction with ErrState, at once or when it commits, and it is not run
// again. One transaction holds or sets a state once.
type StateTx interface {
	// HoldState makes sure that the state has the number, and has it until the
	// transaction ended: one that sets it waits for all that hold it, and who holds it
	// later sees what that one wrote. It costs no wait of its own.
	HoldState(ctx context.Context, name string, number int64) error
	// SetState replaces the content of the state, which has the number; nil unsets it.
	// The state has the next number then. Faults: TooCostly for more than MaxState.
	SetState(ctx context.Context, name string, number int64, content []byte) error
}
