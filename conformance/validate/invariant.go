package validate

import (
	"context"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// invariant is a compiled constraint.
type invariant struct {
	key     string
	run     *fhirpath.Expression
	broken  error             // why it could not be compiled
	finding func() fhir.Issue // what does not keep to it is told; made once
}

// structural are invariants that the walk itself holds, with messages of their
// own: values or children (ele-1, ext-1), contained resources (dom-2 to dom-5),
// fragments (ref-1), narratives (txt-1, txt-2), fullUrls (bdl-7).
var structural = set(`ele-1 ext-1 dom-2 dom-3 dom-4 dom-5 ref-1 txt-1 txt-2 bdl-7`)

// bestPractice are the invariants that the specification marks so.
var bestPractice = set(`dom-6 con-3`)

// corrected are expressions that do not say what their own text says, as later
// versions of the specification mended them: their beginnings. Patterns that were
// meant for all of a text get their end too.
var corrected = map[string]struct{ was, is string }{
	"eld-19": {`path.matches('[^`, `path.matches('^[^`},
	"eld-20": {`path.matches('[A`, `path.matches('^[A`},
	"que-12": {"enableWhen.count() > 2 implies enableBehavior.exists()", "enableWhen.count() >= 2 implies enableBehavior.exists()"},
}

// Bounds of the evaluation of one invariant.
const (
	maxInvariantSteps  = 2_000_000
	maxInvariantValues = 250_000
)

func (v *Validator) compileAll(constraints []*definitions.Constraint) []*invariant {
	var out []*invariant
	for _, c := range constraints {
		if c.Expression == "" || structural[c.Key] || v.options.NoBestPractice && bestPractice[c.Key] {
			continue
		}
		if known, ok := v.invariants.Load(c); ok {
			out = append(out, known.(*invariant))
			continue
		}
		i := v.compileInvariant(c.Key, fhir.Text{English: c.Human, Chinese: c.Human}, c.Severity, c.Expression)
		v.invariants.Store(c, i)
		out = append(out, i)
	}
	return out
}

func (v *Validator) compileInvariant(key string, human fhir.Text, severity, expression string) *invariant {
	if better, ok := corrected[key]; ok && strings.HasPrefix(expression, better.was) {
		expression = better.is + expression[len(better.was):]
		if strings.HasSuffix(better.was, "[^") || strings.HasSuffix(better.was, "[A") {
			expression = strings.TrimSuffix(expression, "')") + "$')"
		}
	}
	weight := fhir.Error
	if severity == "warning" {
		weight = fhir.Warning
	}
	i := &invariant{key: key, finding: sync.OnceValue(func() fhir.Issue { return msgInvariant.Issue(weight, key, human) })}
	if len(expression) > maxExpression {
		i.broken = flawed("the expression is too long")
		return i
	}
	x, err := v.model.Compile(expression, fhirpath.Options{Lenient: true})
	if err != nil {
		i.broken = err
		return i
	}
	i.run = x
	return i
}

// maxExpression bounds the text of an expression of a profile.
const maxExpression = 64 << 10

// environment is what invariants of a resource see. container is the resource
// it is contained in, or itself.
func (r *run) environment(n, container *fhir.Node) *fhirpath.Env {
	h := (*helper)(r)
	return &fhirpath.Env{
		Resource: n, RootResource: container, Resolver: h, Membership: h, Conformance: h,
		Limits: fhirpath.Limits{Steps: maxInvariantSteps, Values: maxInvariantValues},
	}
}

// judge evaluates invariants over a value.
func (r *run) judge(list []*invariant, v fhirpath.Value, n *fhir.Node) {
	for _, i := range list {
		if r.full {
			return
		}
		if i.broken != nil {
			r.report(n, fhir.Warning, msgInvariantUnusable, i.key, i.broken)
			continue
		}
		holds, defined, err := r.scope.judge.Holds(i.run, v)
		switch {
		case err != nil:
			r.report(n, fhir.Warning, msgInvariantUnusable, i.key, err)
		case defined && !holds:
			if found := i.finding(); r.admits(n, found.Severity, "") {
				r.add(n, found, "")
			}
		}
	}
}

// helper is a run as expressions ask it.
type helper run

func (h *helper) Resolve(_ context.Context, reference string) *fhir.Node {
	return (*run)(h).target(reference)
}

func (h *helper) MemberOf(_ context.Context, v fhirpath.Value, valueSet string) (bool, bool, error) {
	return (*run)(h).terms().MemberOf(v, valueSet)
}

func (h *helper) ConformsTo(_ context.Context, v fhirpath.Value, profile string) (bool, error) {
	return (*run)(h).conformsTo(v, profile)
}

// advise tests what a thorough validator wants of an element.
func (r *run) advise(f *field, e fhir.Element) {
	n := at(e.Value, e.Extra)
	var below []*invariant
	if !f.resource && f.container {
		if p := f.below.Load(); p != nil && e.Value.Kind() == fhir.Object {
			below = p.invariants
		}
	}
	if len(f.invariants)+len(below) > 0 && (f.primitive == nil || e.Value == nil || e.Value.Kind() == f.primitive.json) &&
		(f.primitive != nil || e.Value.Kind() == fhir.Object) {
		v := f.typed.Value(e)
		r.judge(f.invariants, v, n)
		r.judge(below, v, n)
	}
	for _, a := range f.advice {
		a(r, e)
	}
}
