package terminology

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Read makes a code system of a CodeSystem resource: hierarchy by nesting and by the properties parent, child and
// subsumedBy. supplements add designations and properties to its codes. The issues say what is wrong with the
// resource and was left out; an error is a *Refusal.
func Read(resource *fhir.Node, limits Limits, supplements ...*fhir.Node) (*Memory, []fhir.Issue, error) {
	about := describe(resource)
	r := reader{b: NewBuilder(about, limits), added: readSupplements(supplements), roles: propertyRoles(resource)}
	for _, s := range supplements {
		for code, role := range propertyRoles(s) {
			if _, ok := r.roles[code]; !ok {
				r.roles[code] = role
			}
		}
		r.b.m.about.Properties = append(r.b.m.about.Properties, describe(s).Properties...)
	}
	r.measure(resource)
	if err := r.concepts(resource); err != nil {
		return nil, nil, err
	}
	m, issues := r.b.Done()
	return m, issues, nil
}

func describe(resource *fhir.Node) Description {
	d := Description{
		URL: resource.Get("url").Text(), Version: resource.Get("version").Text(), Name: resource.Get("name").Text(),
		Title: resource.Get("title").Text(), Language: resource.Get("language").Text(), ValueSet: resource.Get("valueSet").Text(),
		Content: Content(resource.Get("content").Text()), Status: resource.Get("status").Text(), CaseSensitive: resource.Get("caseSensitive").Text() == "true",
	}
	for _, p := range resource.Get("property").Items() {
		d.Properties = append(d.Properties, PropertyDefinition{Code: p.Get("code").Text(), URI: p.Get("uri").Text(),
			Type: p.Get("type").Text(), Description: p.Get("description").Text()})
	}
	return d
}

// role is what a property means to us.
type role uint8

const (
	rolePlain role = iota
	roleParent
	roleChild
	roleAbstract
	roleInactive
	roleStatus
)

const conceptProperties = "http://hl7.org/fhir/concept-properties#"

// propertyRoles are the roles of the declared properties, by their URI, and of those that are named like the
// specification's and have no other URI.
func propertyRoles(resource *fhir.Node) map[string]role {
	known := map[string]role{"parent": roleParent, "subsumedBy": roleParent, "child": roleChild, "notSelectable": roleAbstract,
		"abstract": roleAbstract, "inactive": roleInactive, "status": roleStatus}
	roles := map[string]role{}
	for code, r := range known {
		roles[code] = r
	}
	for _, p := range resource.Get("property").Items() {
		if name, ok := strings.CutPrefix(p.Get("uri").Text(), conceptProperties); ok {
			roles[p.Get("code").Text()] = known[name]
		}
	}
	return roles
}

// reader reads the concepts of one resource.
type reader struct {
	b     *Builder
	added map[string][]*fhir.Node // concepts of supplements by code
	roles map[string]role
}

// measure makes room for the concepts of a resource. Details are guessed: some stand in notes once for many concepts.
func (r *reader) measure(resource *fhir.Node) {
	concepts, text, details, notes := 0, 0, 0, 0
	stack := [][]*fhir.Node{resource.Get("concept").Items()}
	for len(stack) > 0 {
		list := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, n := range list {
			concepts++
			text += len(n.Get("code").Text()) + len(n.Get("display").Text())
			if d := n.Get("definition").Text(); d != "" {
				details++
				notes += len(d)
			}
			details += n.Get("designation").Len() + n.Get("property").Len()
			if below := n.Get("concept"); below != nil {
				stack = append(stack, below.Items())
			}
		}
	}
	r.b.expect(concepts, text, details, notes)
}

// concepts walks the nested concepts in document order; depth costs no stack.
func (r *reader) concepts(resource *fhir.Node) error {
	type level struct {
		list   []*fhir.Node
		parent int
	}
	stack := []level{{resource.Get("concept").Items(), -1}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.list) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		n := top.list[0]
		top.list = top.list[1:]
		i, err := r.concept(n, top.parent)
		if err != nil {
			return err
		}
		if below := n.Get("concept").Items(); i >= 0 && len(below) > 0 {
			stack = append(stack, level{below, i})
		}
	}
	return nil
}

func (r *reader) concept(n *fhir.Node, parent int) (int, error) {
	code := n.Get("code").Text()
	if code == "" {
		return -1, nil
	}
	c := Concept{Code: code, Display: n.Get("display").Text()}
	properties := n.Get("property").Items()
	for _, p := range properties {
		r.flag(&c, p)
	}
	i, fresh, err := r.b.concept(c)
	if err != nil {
		return 0, err
	}
	if parent >= 0 {
		r.b.link(i, parent)
	}
	if !fresh {
		return i, nil
	}
	r.b.definition(n.Get("definition").Text())
	r.details(i, n)
	for _, more := range r.added[code] {
		r.details(i, more)
	}
	if r.b.full != nil {
		return 0, r.b.full
	}
	return i, nil
}

func (r *reader) flag(c *Concept, p *fhir.Node) {
	value, _ := propertyValue(p)
	switch r.roles[p.Get("code").Text()] {
	case roleAbstract:
		c.Abstract = c.Abstract || value.Text() == "true"
	case roleInactive:
		c.Inactive = c.Inactive || value.Text() == "true"
	case roleStatus:
		switch value.Text() {
		case "retired", "deprecated", "inactive":
			c.Inactive = true
		}
	}
}

// details adds designations and properties of the last concept, i.
func (r *reader) details(i int, n *fhir.Node) {
	for _, d := range n.Get("designation").Items() {
		r.b.designation(readDesignation(d))
	}
	for _, p := range n.Get("property").Items() {
		code := p.Get("code").Text()
		value, typ := propertyValue(p)
		switch {
		case value == nil || code == "":
		case r.roles[code] == roleParent:
			r.b.name(i, false, value.Text())
		case r.roles[code] == roleChild:
			r.b.name(i, true, value.Text())
		case typ == "Coding":
			r.b.property(Property{Code: code, Type: typ, Coding: readCoding(value)})
		default:
			r.b.property(Property{Code: code, Type: typ, Value: value.Text()})
		}
	}
}

// propertyValue is the value[x] of a property, and its type.
func propertyValue(p *fhir.Node) (value *fhir.Node, typ string) {
	for _, k := range p.All() {
		if typ, ok := strings.CutPrefix(k.Name(), "value"); ok && typ != "" {
			if typ != "Coding" {
				typ = strings.ToLower(typ[:1]) + typ[1:]
			}
			switch typ {
			case "code", "Coding", "string", "integer", "boolean", "dateTime", "decimal":
				return k, typ
			}
		}
	}
	return nil, ""
}

func readCoding(n *fhir.Node) Coding {
	return Coding{System: n.Get("system").Text(), Version: n.Get("version").Text(), Code: n.Get("code").Text(), Display: n.Get("display").Text()}
}

func readDesignation(n *fhir.Node) Designation {
	return Designation{Language: n.Get("language").Text(), Use: readCoding(n.Get("use")), Value: n.Get("value").Text()}
}

// readSupplements collects the concepts of supplements by code, nested ones too.
func readSupplements(supplements []*fhir.Node) map[string][]*fhir.Node {
	if len(supplements) == 0 {
		return nil
	}
	found := map[string][]*fhir.Node{}
	for _, s := range supplements {
		todo := append([]*fhir.Node(nil), s.Get("concept").Items()...)
		for len(todo) > 0 {
			n := todo[len(todo)-1]
			todo = append(todo[:len(todo)-1], n.Get("concept").Items()...)
			if code := n.Get("code").Text(); code != "" {
				found[code] = append(found[code], n)
			}
		}
	}
	return found
}
