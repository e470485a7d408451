package cached

import (
	"context"
	"time"
)

// Answers keeps answers that took work, such as those of terminology. What an answer
// rests on is part of the question: the versions of what was asked, or a number that
// grows with every change of it.
type Answers struct {
	Keys  *Keys
	Cache Cache
	// Space names a kind of answers, and of what form they are.
	Space string
}

// Get returns the answer to a question that was answered before.
func (a Answers) Get(ctx context.Context, question ...string) ([]byte, bool) {
	name := a.Keys.Name(a.Space, question...)
	sealed, ok := a.Cache.Get(ctx, name)
	if !ok {
		return nil, false
	}
	answer, err := a.Keys.Unseal(name, sealed)
	return answer, err == nil
}

// Keep keeps the answer to a question for a while.
func (a Answers) Keep(answer []byte, question ...string) {
	name := a.Keys.Name(a.Space, question...)
	a.Cache.Set(name, a.Keys.Seal(name, answer))
}

// Rate bounds how often something is done, with names that tell nothing of whom.
type Rate struct {
	Keys    *Keys
	Counter Counter
}

// Count adds n to what who did of a kind in the present window; see Counter.
func (r Rate) Count(ctx context.Context, kind, who string, n int64, window time.Duration) int64 {
	return r.Counter.Count(ctx, r.Keys.Name("rate", kind, who, window.String()), n, window)
}
