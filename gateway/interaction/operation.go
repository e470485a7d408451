package interaction

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/terminology"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Operation is one of FHIR's operations as it is carried out here. What is routed,
// and what the capability statement promises, is this list.
//
// https://hl7.org/fhir/R4/operations.html
type Operation struct {
	Name       string // without the dollar sign
	Type       string // of the resources that have it, "" for all
	Definition string // canonical URL; of the alliance's own, what follows its base
	OnSystem   bool   // $name
	OnType     bool   // [type]/$name
	OnInstance bool   // [type]/[id]/$name
	OnVersion  bool   // [type]/[id]/_history/[version]/$name
	Changes    bool   // it changes what is stored, so it is not carried out by reading
	Accepted   bool   // it goes on after it was answered

	// off tells that it is not allowed here; nil: it always is.
	off func(*Engine) bool
	run func(*Engine, context.Context, Viewer, *Call) (Result, error)
}

// Call is an invocation of an operation.
type Call struct {
	Key     store.Key     // without ID for a type
	Version int64         // of the resource, 0 for the current one
	Match   []int64       // versions one of which the client expects to change, none where it does not say
	Pairs   []search.Pair // parameters of the address
	Body    *fhir.Node    // a Parameters resource, or the one resource that is handed over; nil: nothing
	// Findings are what reading the body found and the body does not show.
	Findings []fhir.Issue
	Lenient  bool
}

// Result is what an operation answers: a resource, a set of them, or findings, which
// may be none.
type Result struct {
	Job      string // that goes on, "" for none
	Resource *fhir.Node
	Found    *Found
	Issues   []fhir.Issue
}

const operationURL = "http://hl7.org/fhir/OperationDefinition/"

// operations are in the order of the capability statement.
var operations = func() []Operation {
	list := []Operation{
		{Name: "validate", OnType: true, OnInstance: true, Definition: operationURL + "Resource-validate", run: (*Engine).validate},
		{Name: "meta", OnSystem: true, OnType: true, OnInstance: true, OnVersion: true, Definition: operationURL + "Resource-meta", run: (*Engine).meta},
		{Name: "meta-add", OnInstance: true, Changes: true, Definition: operationURL + "Resource-meta-add", run: (*Engine).metaAdd},
		{Name: "meta-delete", OnInstance: true, Changes: true, Definition: operationURL + "Resource-meta-delete", run: (*Engine).metaDelete},
		{Name: "everything", Type: "Patient", OnInstance: true, Definition: operationURL + "Patient-everything", run: (*Engine).everythingOf},
		{Name: "everything", Type: "Encounter", OnInstance: true, Definition: operationURL + "Encounter-everything", run: (*Engine).everythingOf},
		{Name: "lastn", Type: "Observation", OnType: true, Definition: operationURL + "Observation-lastn", run: (*Engine).lastN},
	}
	list = append(list,
		Operation{Name: "reindex", OnSystem: true, OnType: true, Changes: true, Accepted: true, Definition: "/fhir/OperationDefinition/reindex", run: (*Engine).reindex},
		Operation{Name: "expunge", OnSystem: true, OnType: true, OnInstance: true, OnVersion: true, Changes: true, Definition: "/fhir/OperationDefinition/expunge",
			off: func(e *Engine) bool { return !e.Expunges }, run: (*Engine).expunge},
	)
	for _, name := range terminology.Operations() {
		typ, short, _ := strings.Cut(name, "/$")
		list = append(list, Operation{
			Name: short, Type: typ, OnType: true, OnInstance: short != "lookup", Definition: operationURL + typ + "-" + short,
			run: func(e *Engine, ctx context.Context, v Viewer, c *Call) (Result, error) {
				return e.terms(ctx, v, name, c)
			},
		})
	}
	return list
}()

// Operations lists the operations.
func Operations() []Operation { return slices.Clone(operations) }

// OperationOf returns the operation of that name of a resource type.
func OperationOf(typ, name string) (Operation, bool) {
	for _, o := range operations {
		if o.Name == name && (o.Type == "" || o.Type == typ) {
			return o, true
		}
	}
	return Operation{}, false
}

// Operate carries out an operation.
//
// Faults: NotFound for an operation that there is not, Invalid as a *Refused for
// parameters, and those of what the operation does.
func (e *Engine) Operate(ctx context.Context, v Viewer, name string, c *Call) (Result, error) {
	o, ok := OperationOf(c.Key.Type, name)
	switch {
	case !ok, c.Key.Type == "" && !o.OnSystem, c.Key.Type != "" && c.Key.ID == "" && !o.OnType, c.Key.ID != "" && c.Version == 0 && !o.OnInstance, c.Version > 0 && !o.OnVersion:
		return Result{}, fault.New(fault.NotFound, "there is no such operation here")
	}
	if o.off != nil && o.off(e) {
		return Result{}, fault.New(fault.Forbidden, "this operation is switched off here")
	}
	return o.run(e, seenBy(ctx, v), v, c)
}

// parameters are what an operation is invoked with, from the address and the body.
type parameters struct {
	list []*fhir.Node // elements of Parameters.parameter
}

// shownBy are the parameters of every request, which are not the operation's.
var shownBy = []string{"_format", "_pretty"}

// parameters puts the parameters of the address and the body together. handed are the
// names under which the one resource that is handed over may stand, by its type; ""
// is any type. codings are the names of parameters of type Coding, which an address
// has as system|code.
func (c *Call) parameters(handed map[string]string, codings ...string) (parameters, error) {
	var p parameters
	for _, pair := range c.Pairs {
		if slices.Contains(shownBy, pair.Name) {
			continue
		}
		n := fhir.NewObject().SetString("name", pair.Name)
		if slices.Contains(codings, pair.Name) {
			system, code, ok := cutLast(pair.Value, "|")
			if !ok {
				return p, invalid("parameter-invalid", "", "a coding in an address is system|code")
			}
			n.Set("valueCoding", fhir.NewObject().SetString("system", system).SetString("code", code))
		} else {
			n.SetString("valueString", pair.Value)
		}
		p.list = append(p.list, n)
	}
	switch typ := c.Body.ResourceType(); {
	case c.Body == nil:
	case typ == "Parameters":
		p.list = append(p.list, c.Body.Get("parameter").Items()...)
	case handed[typ] != "":
		p.list = append(p.list, fhir.NewObject().SetString("name", handed[typ]).Set("resource", c.Body))
	case handed[""] != "":
		p.list = append(p.list, fhir.NewObject().SetString("name", handed[""]).Set("resource", c.Body))
	default:
		return p, invalid("parameters-missing", typ, "an operation takes a Parameters resource")
	}
	return p, nil
}

// only refuses parameters of other names, and repeated ones.
func (p parameters) only(names ...string) error {
	seen := map[string]bool{}
	for _, n := range p.list {
		name := n.Get("name").Text()
		switch {
		case !slices.Contains(names, name):
			return invalid("parameter-unknown", "", "the operation has the parameters "+strings.Join(names, ", "))
		case seen[name]:
			return invalid("parameter-repeated", "", "a parameter is given twice: "+name)
		}
		seen[name] = true
	}
	return nil
}

// get is the parameter of a name, nil if there is none.
func (p parameters) get(name string) *fhir.Node {
	for _, n := range p.list {
		if n.Get("name").Text() == name {
			return n
		}
	}
	return nil
}

// text is the value of a primitive parameter.
func (p parameters) text(name string) string { return valueOf(p.get(name)).Text() }

// valueOf is the value of a parameter, whatever its type.
func valueOf(n *fhir.Node) *fhir.Node {
	for _, k := range n.All() {
		if strings.HasPrefix(k.Name(), "value") {
			return k
		}
	}
	return nil
}

// pairs are the parameters as those of a search: what is no primitive cannot be one,
// but for references.
func (c *Call) pairs() ([]search.Pair, error) {
	p, err := c.parameters(nil)
	if err != nil {
		return nil, err
	}
	out := make([]search.Pair, 0, len(p.list))
	for _, n := range p.list {
		value := valueOf(n)
		if value.Kind() == fhir.Object && value.Get("reference") != nil {
			value = value.Get("reference")
		}
		if value == nil || value.Kind() == fhir.Object || value.Kind() == fhir.Array {
			return nil, invalid("parameter-invalid", "", "the parameters of this operation are those of a search")
		}
		out = append(out, search.Pair{Name: n.Get("name").Text(), Value: value.Text()})
	}
	return out, nil
}

// instances are the parameters under which an operation on an instance gets it.
var instances = map[string]string{"ValueSet": "valueSet", "CodeSystem": "codeSystem", "ConceptMap": "conceptMap"}

// terms carries out an operation of terminology.
func (e *Engine) terms(ctx context.Context, v Viewer, name string, c *Call) (Result, error) {
	p, err := c.parameters(instances, "coding", "codingA", "codingB")
	if err != nil {
		return Result{}, err
	}
	if c.Key.ID != "" {
		got, err := e.Read(ctx, v, c.Key)
		if err != nil {
			return Result{}, err
		}
		own, err := parseStored(got.Body)
		if err != nil {
			return Result{}, err
		}
		if name == "CodeSystem/$subsumes" { // which takes no resource
			p.list = append(p.list, fhir.NewObject().SetString("name", "system").Set("valueUri", fhir.NewString(own.Get("url").Text())))
		} else {
			p.list = slices.Insert(p.list, 0, fhir.NewObject().SetString("name", instances[c.Key.Type]).Set("resource", own))
		}
	}
	k, err := e.knows(ctx, v)
	if err != nil {
		return Result{}, err
	}
	list := fhir.NewArray()
	for _, n := range p.list {
		list.Append(n.Clone())
	}
	question := fhir.NewObject().SetString("resourceType", "Parameters").Set("parameter", list)
	answer, err := e.operate(ctx, k, name, question)
	return Result{Resource: answer}, unanswered(err)
}

// unanswered gives the refusal of a question about codes its kind.
func unanswered(err error) error {
	refusal, ok := errors.AsType[*terminology.Refusal](err)
	if !ok {
		return err
	}
	out := &Refused{Issues: []fhir.Issue{refusal.Issue}}
	switch refusal.Issue.Code {
	case fhir.TypeNotFound:
		out.Fault = fault.New(fault.NotFound, "the definition is not known")
	case fhir.TypeTooCostly:
		out.Fault = fault.New(fault.TooCostly, "the question is too costly")
	case fhir.TypeRequired:
		out.Fault = fault.New(fault.Invalid, "a parameter is missing")
	case fhir.TypeNotSupported:
		out.Fault = fault.New(fault.Invalid, "the question cannot be answered")
	default:
		out.Fault = fault.New(fault.Invalid, "the question cannot be answered").WithCode("processing")
		if refusal.Issue.ID == "parameter-invalid" {
			out.Fault = fault.New(fault.Invalid, "a parameter is wrong")
		}
	}
	return out
}
