package patch

import (
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// model is shared by all patches: what is learnt of types once serves them all.
var model = sync.OnceValue(func() *fhirpath.Model { return fhirpath.NewModel(definitions.R4()) })

// minSteps is what the evaluation of one path may always take; beyond it the
// operations of a patch share fhirpath.DefaultMaxSteps.
const minSteps = 20_000

const (
	maxValues = 200_000 // that the evaluation of a path may hold at once
	nodeWork  = 2       // what an evaluation counts as work for each node it may visit
	valueWork = 12      // and for each of its results
)

// ApplyFHIRPath applies a FHIRPath Patch: a Parameters resource with a parameter
// "operation" for each. The error is an *Error.
func ApplyFHIRPath(resource, parameters *fhir.Node, lim Limits) (*fhir.Node, error) {
	lim = lim.withDefaults()
	if !definitions.R4().IsResource(resource.ResourceType()) {
		return nil, fail(msgResource, "a resource of FHIR R4")
	}
	operations := parameters.Get("parameter")
	if parameters.ResourceType() != "Parameters" || operations != nil && operations.Kind() != fhir.Array {
		line, column := parameters.Position()
		return nil, at(fail(msgMalformed, "a Parameters resource"), -1, "Parameters", line, column)
	}
	if operations.Len() > lim.Operations {
		return nil, failLimit(msgOperations, lim.Operations)
	}
	p := &pathPatch{budget: budget{lim: lim}, root: resource.Clone()}
	p.total = measure(p.root)
	p.steps = max(minSteps, fhirpath.DefaultMaxSteps/max(1, operations.Len()))
	for i, o := range operations.All() {
		if err := p.operation(o); err != nil {
			line, column := o.Position()
			return nil, at(err, i, "Parameters.parameter["+strconv.Itoa(i)+"]", line, column)
		}
	}
	return p.root, nil
}

// pathPatch is a FHIRPath Patch being applied to root, which is ours.
type pathPatch struct {
	budget
	root  *fhir.Node
	steps int
}

// operation is the parts of one parameter.
type operation struct {
	kind, path, name           string
	index, source, destination int // -1 if absent
	value                      *fhir.Node
}

func (p *pathPatch) operation(parameter *fhir.Node) error {
	o, err := readOperation(parameter)
	if err != nil {
		return err
	}
	if o.path == "" {
		return fail(msgMissing, "a path")
	}
	switch o.kind {
	case "add":
		err = p.add(o)
	case "insert":
		err = p.insert(o)
	case "delete":
		err = p.remove(o)
	case "replace":
		err = p.replace(o)
	case "move":
		err = p.move(o)
	case "":
		err = fail(msgMissing, "a type")
	default:
		err = fail(msgUnknown, "add, insert, delete, replace and move")
	}
	if err != nil {
		return err
	}
	p.total = measure(p.root)
	if err := p.spend(p.total.nodes); err != nil {
		return err
	}
	return p.hold(p.total)
}

func readOperation(parameter *fhir.Node) (operation, error) {
	o := operation{index: -1, source: -1, destination: -1}
	if parameter.Get("name").Text() != "operation" {
		return o, fail(msgMalformed, "a list of parameters whose name is operation")
	}
	texts := map[string]*string{"type": &o.kind, "path": &o.path, "name": &o.name}
	numbers := map[string]*int{"index": &o.index, "source": &o.source, "destination": &o.destination}
	for _, part := range parameter.Get("part").Items() {
		name := part.Get("name").Text()
		if text := texts[name]; text != nil {
			for _, property := range [...]string{"valueString", "valueCode"} {
				if v := part.Get(property); v.Kind() == fhir.String && v.Text() != "" {
					*text = v.Text()
				}
			}
			if *text == "" {
				return o, inPart(part, fail(msgPart, name))
			}
			continue
		}
		if number := numbers[name]; number != nil {
			i, err := strconv.ParseUint(part.Get("valueInteger").Text(), 10, 31)
			if err != nil {
				return o, inPart(part, fail(msgPart, name))
			}
			*number = int(i)
			continue
		}
		if name != "value" {
			return o, inPart(part, fail(msgPart, "a part that is not type, path, name, value, index, source or destination"))
		}
		o.value = part
	}
	if len(o.path) > MaxPath {
		return o, failLimit(msgPath, MaxPath)
	}
	return o, nil
}

// inPart gives an error the place of a part of the patch.
func inPart(part *fhir.Node, err error) error {
	line, column := part.Position()
	return at(err, -1, "", line, column)
}

// evaluate returns the elements a path names.
func (p *pathPatch) evaluate(path string) ([]fhir.Element, error) {
	x, err := model().Compile(quoteDiv(path), fhirpath.Options{Context: p.root.ResourceType()})
	if err != nil {
		var syntax *fhirpath.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fail(msgPathSyntax, texts.Say("column {1}", syntax.Column))
		}
		return nil, fail(msgPathSyntax, err)
	}
	if err := p.spend(nodeWork * p.total.nodes); err != nil {
		return nil, err
	}
	values, err := x.Evaluate(&fhirpath.Env{Limits: fhirpath.Limits{Steps: p.steps, Values: maxValues}}, p.root)
	if err != nil {
		var failed *fhirpath.EvaluationError
		if errors.As(err, &failed) {
			var reason any = failed.Reason
			if s, ok := any(failed).(fhir.Speaker); ok {
				reason = s.Texts()
			}
			e := fail(msgPathFailed, reason)
			e.Limit = failed.Limit
			return nil, e
		}
		return nil, fail(msgPathFailed, err)
	}
	if err := p.spend(valueWork * len(values)); err != nil {
		return nil, err
	}
	out := make([]fhir.Element, len(values))
	for i, v := range values {
		if v.Kind() != fhirpath.Element {
			return nil, fail(msgTarget, "an element of the resource")
		}
		out[i] = v.Element()
	}
	return out, nil
}

// quoteDiv lets a path name the narrative as everybody writes it: div is also an
// operator, and the grammar wants the element's name in backquotes.
func quoteDiv(path string) string {
	const step = ".div"
	var b strings.Builder
	for i := 0; i < len(path); {
		c := path[i]
		end := i + 1
		switch {
		case c == '\'' || c == '`' || c == '"':
			for end < len(path) && path[end] != c {
				if path[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(path))
		case strings.HasPrefix(path[i:], step) && (i+len(step) == len(path) || !identifierByte(path[i+len(step)])):
			b.WriteString(".`div`")
			i += len(step)
			continue
		}
		b.WriteString(path[i:end])
		i = end
	}
	return b.String()
}

func identifierByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// one returns the place of the element that a path names, nil if it names none.
func (p *pathPatch) one(path string) (*place, error) {
	elements, err := p.evaluate(path)
	if err != nil || len(elements) == 0 {
		return nil, err
	}
	if len(elements) > 1 {
		return nil, fail(msgMany)
	}
	return p.locate(elements[0])
}

func (p *pathPatch) add(o operation) error {
	if o.name == "" {
		return fail(msgMissing, "a name")
	}
	into, err := p.one(o.path)
	if err != nil {
		return err
	}
	if into == nil {
		return fail(msgNone)
	}
	property, v, err := valueFor(into.child, into.owner(), o.name, o.value)
	if err != nil {
		return err
	}
	return put(into.object(), property, v, into.child)
}

func (p *pathPatch) remove(o operation) error {
	target, err := p.one(o.path)
	if err != nil || target == nil { // "if found", says the specification
		return err
	}
	if target.parent == nil {
		return fail(msgTarget, "something in the resource: it cannot be removed itself")
	}
	target.remove()
	return nil
}

func (p *pathPatch) replace(o operation) error {
	target, err := p.one(o.path)
	if err != nil {
		return err
	}
	switch {
	case target == nil:
		return fail(msgNone)
	case target.parent == nil:
		return fail(msgTarget, "something in the resource: it cannot be replaced itself")
	case target.property == nil:
		return fail(msgTarget, "an element that R4 has")
	}
	property, v, err := valueFor(target.above.child, target.above.owner(), strings.TrimSuffix(target.property.Element.Name, "[x]"), o.value)
	if err != nil {
		return err
	}
	target.replace(property.Name, v)
	return nil
}

func (p *pathPatch) insert(o operation) error {
	if o.index < 0 {
		return fail(msgMissing, "an index")
	}
	l, err := p.list(o.path)
	if err != nil {
		return err
	}
	if o.index > l.len() {
		return fail(msgIndex)
	}
	_, v, err := valueFor(l.above.child, l.above.owner(), l.property.Name, o.value) // what repeats is no choice
	if err != nil {
		return err
	}
	l.object = l.above.object()
	l.insert(o.index, v)
	return nil
}

func (p *pathPatch) move(o operation) error {
	if o.source < 0 || o.destination < 0 {
		return fail(msgMissing, "source and destination")
	}
	l, err := p.list(o.path)
	if err != nil {
		return err
	}
	if o.source >= l.len() || o.destination >= l.len() {
		return fail(msgIndex)
	}
	if o.source == o.destination {
		return nil
	}
	v := l.removeAt(o.source)
	l.insert(o.destination, v)
	return nil
}

// list returns the list that a path names: all repetitions of one element of one
// parent, or none where the end of the path is the name of something that repeats.
func (p *pathPatch) list(path string) (*list, error) {
	elements, err := p.evaluate(path)
	if err != nil {
		return nil, err
	}
	if len(elements) == 0 {
		return p.emptyList(path)
	}
	first, err := p.locate(elements[0])
	if err != nil {
		return nil, err
	}
	if first.index < 0 || first.property == nil {
		return nil, fail(msgTarget, "a list")
	}
	l := &list{object: first.parent, name: first.name, property: first.property, above: first.above}
	n := 0
	for _, e := range l.object.Elements(l.name) {
		if n == len(elements) || e != elements[n] {
			return nil, fail(msgTarget, "the whole of one list")
		}
		n++
	}
	if n != len(elements) || n != l.len() {
		return nil, fail(msgTarget, "the whole of one list")
	}
	return l, nil
}

func (p *pathPatch) emptyList(path string) (*list, error) {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		return nil, fail(msgNone)
	}
	name := strings.Trim(strings.TrimSpace(path[dot+1:]), "`")
	if strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		return nil, fail(msgNone)
	}
	above, err := p.one(path[:dot])
	if err != nil {
		return nil, err
	}
	if above == nil {
		return nil, fail(msgNone)
	}
	property := above.child(name)
	if property == nil || !property.Repeats() {
		return nil, fail(msgTarget, "a list")
	}
	return &list{name: name, property: property, above: above}, nil
}
