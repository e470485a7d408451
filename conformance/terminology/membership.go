package terminology

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Has reports whether the code of a system is a member. Unknown is the answer where it depends on what the Catalog does
// not know: a code system that it does not have, or has only in parts. Abstract codes are members.
func (s *Set) Has(system, code string) definitions.Membership {
	return s.HasWithin(context.Background(), system, code)
}

// HasCode reports whether a code without a system, as elements of type code have it, is a member.
func (s *Set) HasCode(code string) definitions.Membership {
	a, err := s.catalog.run(context.Background()).ask(s, "", code, true)
	if err != nil {
		return definitions.Unknown
	}
	return a.member
}

// HasWithin is Has for callers who wait no longer than a context does.
func (s *Set) HasWithin(ctx context.Context, system, code string) definitions.Membership {
	a, err := s.catalog.run(ctx).ask(s, system, code, false)
	if err != nil {
		return definitions.Unknown
	}
	return a.member
}

// MemberOf answers memberOf of FHIRPath for a code, Coding, CodeableConcept or Quantity.
func (c *Catalog) MemberOf(ctx context.Context, v fhirpath.Value, valueSet string) (member, known bool, err error) {
	return c.Inquire(ctx, 0).MemberOf(v, valueSet)
}

// answer is what a value set says of a code.
type answer struct {
	member definitions.Membership
	system string     // in which it was found
	entry  *entry     // with which the value set lists it; nil if it does not
	cause  *Refusal   // why it is not known
	where  CodeSystem // in which it was looked up; nil if it was not
}

// run is the work for one answer.
type run struct {
	ctx      context.Context
	c        *Catalog
	steps    int
	limit    int // of steps
	versions *versions
	memo     map[memoKey]answer
}

type memoKey struct {
	set    *Set
	system string
	code   string
	any    bool
}

func (c *Catalog) run(ctx context.Context) *run { return &run{ctx: ctx, c: c, limit: c.limits.Steps} }

func (r *run) step(n int) error {
	if r.steps += n; r.steps > r.limit {
		return refuse(msgTooMuchWork, r.limit)
	}
	if before := r.steps - n; before == 0 || before>>12 != r.steps>>12 {
		return r.ctx.Err() // now and then
	}
	return nil
}

// ask tells whether a code is in a value set. any means that the system is not known. A *Refusal as error means that
// the question took too much work.
func (r *run) ask(s *Set, system, code string, any bool) (answer, error) {
	key := memoKey{s, system, code, any}
	if s.imports {
		if a, ok := r.memo[key]; ok {
			return a, nil
		}
	}
	a, err := r.decide(s, system, code, any)
	if s.imports && err == nil {
		if r.memo == nil || len(r.memo) > maxMemo {
			r.memo = map[memoKey]answer{}
		}
		r.memo[key] = a
	}
	return a, err
}

// maxMemo bounds what one run remembers.
const maxMemo = 10_000

func (r *run) decide(s *Set, system, code string, any bool) (answer, error) {
	out := answer{}
	for _, p := range s.include {
		a, err := r.holds(p, system, code, any)
		if err != nil {
			return answer{}, err
		}
		if a.member == definitions.Unknown && s.stored != nil && p.codes == nil {
			a = s.fromStored(a, system, code, any)
		}
		if a.member != definitions.NotMember {
			if a, err = r.remains(s, a, system, code, any); err != nil {
				return answer{}, err
			}
		}
		if a.member == definitions.Member {
			return a, nil
		}
		if a.member == definitions.Unknown && out.member == definitions.NotMember {
			out = a
		}
	}
	return out, nil
}

// remains tells what the excludes, and the wish for active codes only, leave of an answer.
func (r *run) remains(s *Set, a answer, system, code string, any bool) (answer, error) {
	if any && a.system != "" {
		system, any = a.system, false
	}
	for _, p := range s.exclude {
		x, err := r.holds(p, system, code, any)
		if err != nil {
			return answer{}, err
		}
		switch {
		case x.member == definitions.Member && !any:
			return answer{}, nil
		case x.member != definitions.NotMember: // without a system it may be another one's code
			a.member, a.cause = definitions.Unknown, x.cause
		}
	}
	if s.activeOnly && a.member == definitions.Member {
		inactive, err := r.inactive(&a, code)
		if err != nil {
			return answer{}, err
		}
		if inactive {
			return answer{}, nil
		}
	}
	return a, nil
}

// fromStored looks a code that the rules leave open up in the expansion that came with the value set.
func (s *Set) fromStored(a answer, system, code string, any bool) answer {
	if any {
		if e := s.stored.first(code); e != nil {
			return answer{member: definitions.Member, system: e.system, entry: e}
		}
	} else if e := s.stored.find(system, code); e != nil {
		return answer{member: definitions.Member, system: system, entry: e}
	}
	if s.storedWhole {
		return answer{member: definitions.NotMember}
	}
	return a
}

func (r *run) inactive(a *answer, code string) (bool, error) {
	if a.entry != nil && a.entry.inactive {
		return true, nil
	}
	system := a.where
	if system == nil {
		s, err := r.c.codeSystem(a.system, r.versions.of(a.system, ""))
		if err != nil {
			return false, nil
		}
		system = s
	}
	c, ok, err := system.Lookup(r.ctx, code)
	return ok && c.Inactive, err
}

// holds tells whether an include or exclude takes a code.
func (r *run) holds(p *component, system, code string, any bool) (answer, error) {
	if err := r.step(1); err != nil {
		return answer{}, err
	}
	out := answer{member: definitions.Member, system: system}
	if p.system != "" {
		if !any && system != p.system {
			return answer{}, nil
		}
		a, err := r.inSystem(p, code)
		if err != nil || a.member == definitions.NotMember {
			return a, err
		}
		out, system, any = a, p.system, false
	} else if p.codes != nil { // of an expansion
		a, err := r.inList(p, system, code, any)
		if err != nil || a.member == definitions.NotMember {
			return a, err
		}
		out = a
	}
	for _, set := range p.sets {
		a, err := r.ask(set, system, code, any)
		if err != nil || a.member == definitions.NotMember {
			return a, err
		}
		switch {
		case a.member == definitions.Unknown:
			out.member, out.cause = definitions.Unknown, a.cause
		case out.entry == nil:
			out.entry, out.where, out.system = a.entry, a.where, a.system
			if any {
				system, any = a.system, false
			}
		}
	}
	if p.broken != nil {
		out.member, out.cause = definitions.Unknown, p.broken
	}
	return out, nil
}

// inList looks a code up in the expansion that stands for a value set.
func (r *run) inList(p *component, system, code string, any bool) (answer, error) {
	if !any {
		if e := p.codes.find(system, code); e != nil {
			return answer{member: definitions.Member, system: system, entry: e}, nil
		}
		return answer{}, nil
	}
	if e := p.codes.first(code); e != nil {
		return answer{member: definitions.Member, system: e.system, entry: e}, nil
	}
	return answer{}, nil
}

// inSystem tells whether the system of a component and its codes or filters take a code.
func (r *run) inSystem(p *component, code string) (answer, error) {
	out := answer{member: definitions.Member, system: p.system}
	if p.codes != nil {
		if out.entry = p.codes.find(p.system, code); out.entry != nil {
			return out, nil
		}
	}
	system, selection, err := r.resolved(p)
	if err != nil {
		var refusal *Refusal
		switch {
		case !errors.As(err, &refusal):
			return answer{}, err
		case p.codes != nil:
			return answer{}, nil
		}
		return answer{member: definitions.Unknown, system: p.system, cause: refusal}, nil
	}
	out.where = system
	about := system.Describe()
	if p.codes != nil {
		if about.CaseSensitive {
			return answer{}, nil
		}
		if out.entry = p.codes.findFolded(p.system, code); out.entry == nil {
			return answer{}, nil
		}
		return out, nil
	}
	has, err := selection.Has(r.ctx, code)
	switch {
	case err != nil:
		return answer{}, err
	case has:
		return out, nil
	case about.Content == Complete:
		return answer{}, nil
	}
	if !hierarchical(p.filters) {
		// The code may be one of those that are here, and then the filters have judged it.
		if _, ok, err := system.Lookup(r.ctx, code); ok || err != nil {
			return answer{}, err
		}
	}
	return answer{member: definitions.Unknown, system: p.system, where: system, cause: refuse(msgSystemPartial, p.system)}, nil
}

// hierarchical reports whether a filter asks for what is above or below a concept, which a part of a code system does
// not tell.
func hierarchical(filters []Filter) bool {
	return slices.ContainsFunc(filters, func(f Filter) bool {
		switch f.Op {
		case OpIsA, OpDescendentOf, OpIsNotA, OpGeneralizes:
			return true
		}
		return f.Property == "parent" || f.Property == "child"
	})
}

// resolved is the code system of a component, in the version that was asked for.
func (r *run) resolved(p *component) (CodeSystem, Selection, error) {
	if version := r.versions.of(p.system, p.version); version != p.version {
		return r.selected(p, version, "")
	}
	return r.resolve(p)
}

// versions are wishes about versions of code systems, by URL.
type versions struct {
	preferred map[string]string // where nothing else is said
	forced    map[string]string
	checked   map[string]string
}

func (v *versions) of(system, asked string) string {
	if v == nil {
		return asked
	}
	if forced, ok := v.forced[system]; ok {
		return forced
	}
	if asked == "" {
		return v.preferred[system]
	}
	return asked
}
