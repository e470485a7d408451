package witness

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Violation is a part of a history that no server answers so which does one thing after another.
type Violation struct {
	Model      string
	Part       string
	Operations []Operation // all about the part, in the order in which they were asked
}

func (v *Violation) Error() string {
	return fmt.Sprintf("%s of %s: no order of these explains the answers:\n%s", v.Model, v.Part, lines(v.Operations))
}

// Undecided is a part of a history of which nothing was found out within the limit. It is no proof, and so a failure.
type Undecided struct {
	Model string
	Part  string
	Count int // of operations
	Limit time.Duration
}

func (u *Undecided) Error() string {
	return fmt.Sprintf("%s of %s: %d operations, undecided after %v", u.Model, u.Part, u.Count, u.Limit)
}

// Check judges every part of a history by a model, at most limit each. It returns nil, *Violation or *Undecided, or what
// is wrong with the history itself: a verb that the model does not know, or two writes of one content.
func Check(m Model, history []Operation, limit time.Duration) error {
	parts := map[string][]Operation{}
	written := map[string]bool{}
	for _, o := range history {
		q := o.Question
		if !slices.Contains(m.knows, q.Verb) {
			return fmt.Errorf("%s of %s: it has no %s", m.name, q.Part, q.Verb)
		}
		if q.writes() && q.Verb != Delete {
			if q.Content == "" || written[q.Content] {
				return fmt.Errorf("%s of %s: content %q is not a word of its own", m.name, q.Part, q.Content)
			}
			written[q.Content] = true
		}
		parts[q.Part] = append(parts[q.Part], o)
	}
	model := porcupine.Model{
		Init: func() any { return m.start },
		Step: func(s, q, a any) (bool, any) {
			next, ok := s.(state).step(q.(Question), a.(Answer))
			return ok, next
		},
		Equal: func(a, b any) bool { return a.(state).equal(b.(state)) },
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		list := parts[part]
		switch porcupine.CheckOperationsTimeout(model, judged(list), limit) {
		case porcupine.Ok:
		case porcupine.Illegal:
			return &Violation{m.name, part, list}
		default:
			return &Undecided{m.name, part, len(list), limit}
		}
	}
	return nil
}

// judged is what of a part is given to the search for an order. What is open ends never, so that it may be the last of
// all. An open question that changes nothing says nothing. An open write whose content nobody was shown might be anywhere
// and makes the search long: it is left out, which can make an order impossible and never one possible. Who asks for the
// Past at the end is shown everything, and loses nothing by it.
func judged(list []Operation) []porcupine.Operation {
	shown := map[string]bool{}
	for _, o := range list {
		if s := o.Answer.Status; s != Open && s != Unsent {
			shown[o.Answer.Content] = true
			for _, content := range o.Answer.All {
				shown[content] = true
			}
		}
	}
	var out []porcupine.Operation
	for _, o := range list {
		if o.Answer.Status == Unsent {
			continue
		}
		ended := o.Ended
		if o.Answer.Status == Open {
			if q := o.Question; !q.writes() || !shown[q.Content] && q.Verb != Delete {
				continue
			}
			ended = math.MaxInt64
		}
		out = append(out, porcupine.Operation{
			ClientId: o.Client, Input: o.Question, Call: o.Began, Output: o.Answer, Return: ended,
		})
	}
	return out
}

func lines(list []Operation) string {
	var b strings.Builder
	for _, o := range list {
		q, a := o.Question, o.Answer
		fmt.Fprintf(&b, "%12d ", o.Began)
		if a.Status == Open {
			fmt.Fprintf(&b, "%12s", "")
		} else {
			fmt.Fprintf(&b, "%12d", o.Ended)
		}
		fmt.Fprintf(&b, " client %d: %s", o.Client, q.Verb)
		if q.Content != "" {
			fmt.Fprintf(&b, " %s", q.Content)
		}
		if q.If != 0 {
			fmt.Fprintf(&b, " if %d", q.If)
		}
		if q.Number != 0 {
			fmt.Fprintf(&b, " of %d", q.Number)
		}
		fmt.Fprintf(&b, ": %s", a.Status)
		if a.Number != 0 {
			fmt.Fprintf(&b, " %d", a.Number)
		}
		for _, text := range append([]string{a.ID, a.Content}, a.All...) {
			if text != "" {
				fmt.Fprintf(&b, " %s", text)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
