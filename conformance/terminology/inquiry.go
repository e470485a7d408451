package terminology

import (
	"context"
	"errors"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Inquiry answers many questions that belong together, such as all those about the codes of one resource, within one
// bound of work: when that is used up, every answer is Unknown. It is for one goroutine.
type Inquiry struct {
	run run
}

// Inquire begins an Inquiry of that many steps; 0 means those of the Limits. It ends with the context, too.
func (c *Catalog) Inquire(ctx context.Context, steps int) *Inquiry {
	if steps <= 0 {
		steps = c.limits.Steps
	}
	return &Inquiry{run{ctx: ctx, c: c, limit: steps}}
}

// Exhausted reports whether a question was left open because the work was used up.
func (q *Inquiry) Exhausted() bool { return q.run.steps > q.run.limit }

// Has is Set.Has.
func (q *Inquiry) Has(s *Set, system, code string) definitions.Membership {
	return q.ask(s, system, code, false)
}

// HasCode is Set.HasCode.
func (q *Inquiry) HasCode(s *Set, code string) definitions.Membership {
	return q.ask(s, "", code, true)
}

func (q *Inquiry) ask(s *Set, system, code string, any bool) definitions.Membership {
	a, err := q.run.ask(s, system, code, any)
	if err != nil {
		return definitions.Unknown
	}
	return a.member
}

// MemberOf is Catalog.MemberOf.
func (q *Inquiry) MemberOf(v fhirpath.Value, valueSet string) (member, known bool, err error) {
	set, err := q.run.c.ValueSet(valueSet)
	if err != nil {
		var refusal *Refusal
		if errors.As(err, &refusal) {
			return false, false, nil
		}
		return false, false, err
	}
	n := v.Node()
	best := definitions.NotMember
	ask := func(system, code string, any bool) error {
		if code == "" {
			return nil
		}
		a, err := q.run.ask(set, system, code, any)
		if a.member == definitions.Member || a.member == definitions.Unknown && best == definitions.NotMember {
			best = a.member
		}
		return err
	}
	switch {
	case v.Namespace() == "System" || v.Type() != "Coding" && v.Type() != "CodeableConcept" && n.Get("code") == nil:
		err = ask("", v.String(), true)
	case v.Type() == "CodeableConcept":
		for _, coding := range n.Get("coding").Items() {
			if err = ask(coding.Get("system").Text(), coding.Get("code").Text(), false); err != nil {
				break
			}
		}
	default:
		err = ask(n.Get("system").Text(), n.Get("code").Text(), false)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return false, false, nil
	}
	return best == definitions.Member, best != definitions.Unknown, err
}
