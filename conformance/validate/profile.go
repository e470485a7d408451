package validate

import (
	"strconv"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// profile is a compiled StructureDefinition that constrains a type.
type profile struct {
	url, typ string
	root     *shape
	ext      *extensionRules // of an extension
}

// shape is what a profile says of one element, as far as it says more than the
// type that it constrains.
type shape struct {
	path, name string // name as in FHIRPath, without [x]
	label      string // path with the slices on it, for messages
	slice      string
	choice     bool
	min, max   int
	counted    bool // min or max say more than the type does

	types      []shapeType
	restricted bool // types say more than the type does
	fixed      *fhir.Node
	pattern    *fhir.Node
	least      *fhir.Node // minValue[x]
	most       *fhir.Node // maxValue[x]
	longest    int        // maxLength
	bound      *binding
	bounds     []*binding // additional ones
	binds      bool       // has a binding, known or not
	valued     bool       // must have a value, not only extensions
	instead    []string   // urls of extensions that stand for a value
	invariants []*invariant

	narrative *narrativeRules
	slicing   *slicing
	slices    []*shape
	children  []*shape
	parent    *shape
	idle      bool // says nothing more than the type
}

type shapeType struct {
	code     string
	profiles []string
	targets  []string
	modes    []string // aggregation
}

// Limits of what a profile may be.
const (
	maxProfileElements = 20_000
	maxSliceDepth      = 8
)

// profileSlot holds a profile while it is compiled once.
type profileSlot struct {
	once    sync.Once
	profile *profile
	err     error
}

// profile is the compiled profile of that URL, nil if there is none. The error
// says why it cannot be used.
func (v *Validator) profile(canonical string) (*profile, error) {
	if known, ok := v.profiles.Load(canonical); ok {
		s := known.(*profileSlot)
		s.once.Do(func() { s.profile, s.err = v.openProfile(canonical) })
		return s.profile, s.err
	}
	if v.outside("StructureDefinition", canonical) == nil {
		// Resources may name any version: what is kept goes by the one there is.
		url, version, versioned := strings.Cut(canonical, "|")
		if v.defs.Source("StructureDefinition", url) == nil || !strings.HasPrefix(v.defs.Version(), version) {
			return nil, nil
		}
		if versioned {
			return v.profile(url)
		}
	}
	// The text may be a part of a resource, all of which a key would keep.
	kept, _ := v.profiles.LoadOrStore(strings.Clone(canonical), &profileSlot{})
	s := kept.(*profileSlot)
	s.once.Do(func() { s.profile, s.err = v.openProfile(canonical) })
	return s.profile, s.err
}

func (v *Validator) openProfile(canonical string) (*profile, error) {
	n := v.definition("StructureDefinition", canonical)
	if n == nil {
		return nil, nil
	}
	if url := n.Get("url").Text(); v.defs.Type(url) != nil && v.defs.Type(url).URL == url {
		return nil, nil // a type of FHIR: the walk knows it
	}
	n, err := v.withSnapshot(n)
	if err != nil {
		return nil, err
	}
	return v.compileProfile(n)
}

// compileProfile makes a tree of shapes of a snapshot.
func (v *Validator) compileProfile(n *fhir.Node) (*profile, error) {
	p := &profile{url: n.Get("url").Text(), typ: n.Get("type").Text()}
	elements := n.Path("snapshot", "element").Items()
	switch {
	case len(elements) == 0:
		return nil, flawed("it has no snapshot")
	case len(elements) > maxProfileElements:
		return nil, flawed("it has too many elements")
	}
	c := profileCompiler{v: v, profile: p, current: map[string]*shape{}}
	for _, e := range elements {
		if err := c.add(e); err != nil {
			return nil, err
		}
	}
	if p.root == nil {
		return nil, flawed("its snapshot has no root")
	}
	if p.typ == "" {
		p.typ = p.root.path
	}
	prune(p.root)
	if p.typ == "Extension" {
		p.ext = readExtensionRules(n)
	}
	return p, nil
}

type profileCompiler struct {
	v       *Validator
	profile *profile
	current map[string]*shape // by path: where the next element below belongs
}

func (c *profileCompiler) add(e *fhir.Node) error {
	path := e.Get("path").Text()
	s := &shape{path: path, label: path, slice: e.Get("sliceName").Text()}
	last := path[strings.LastIndexByte(path, '.')+1:]
	s.name, s.choice = strings.CutSuffix(last, "[x]")
	if last == path { // the root
		if c.profile.root != nil {
			return flawed("its snapshot has several roots")
		}
		c.profile.root = s
		c.current[path] = s
		c.fill(s, e, c.root(path))
		return nil
	}
	parent := c.current[strings.TrimSuffix(path, "."+last)]
	if parent == nil {
		return flawed("its snapshot has an element without a parent: {1}", path)
	}
	s.parent = parent
	base := childShape(parent, last)
	if s.slice != "" && base == nil {
		// Nothing says how the slices are told apart; for extensions that goes
		// without saying.
		base = &shape{path: path, name: s.name, choice: s.choice, label: parent.label + "." + last, parent: parent, max: definitions.Unbounded}
		if s.name == "extension" || s.name == "modifierExtension" {
			base.slicing = c.v.readSlicing(byURL)
		}
		parent.children = append(parent.children, base)
	}
	switch {
	case s.slice == "":
		s.label = parent.label + "." + last
		parent.children = append(parent.children, s)
	default:
		holder, depth := base, 0
		for name := s.slice; ; depth++ {
			cut := strings.IndexByte(name, '/')
			if cut < 0 || depth > maxSliceDepth {
				break
			}
			prefix := s.slice[:len(s.slice)-len(name)+cut]
			for _, k := range holder.slices {
				if k.slice == prefix {
					holder = k
				}
			}
			name = name[cut+1:]
		}
		s.label = parent.label + "." + last + ":" + s.slice
		holder.slices = append(holder.slices, s)
	}
	c.current[path] = s
	c.fill(s, e, c.element(path))
	return nil
}

// byURL is how extensions are sliced.
var byURL = fhir.NewObject().SetString("rules", "open").
	Set("discriminator", fhir.NewArray(fhir.NewObject().SetString("type", "value").SetString("path", "url")))

func childShape(parent *shape, last string) *shape {
	name, choice := strings.CutSuffix(last, "[x]")
	for _, k := range parent.children {
		if k.name == name && k.choice == choice && k.slice == "" {
			return k
		}
	}
	return nil
}

func (c *profileCompiler) root(path string) *definitions.Element {
	if t := c.v.defs.Type(path); t != nil {
		return t.Root()
	}
	return nil
}

// element is what the type says of a path; nil where a profile reaches into
// something that depends on the instance.
func (c *profileCompiler) element(path string) *definitions.Element {
	if p, err := c.v.defs.Resolve(path); err == nil {
		return p.Element
	}
	return nil
}

// fill reads an ElementDefinition; base is what the type says of it.
func (c *profileCompiler) fill(s *shape, e *fhir.Node, base *definitions.Element) {
	s.min, s.max = number(e.Get("min"), 0), number(e.Get("max"), definitions.Unbounded)
	s.counted = s.slice != "" || base == nil || s.min > base.Min || s.max != definitions.Unbounded && (base.Max == definitions.Unbounded || s.max < base.Max)
	for _, t := range e.Get("type").Items() {
		st := shapeType{code: t.Get("code").Text(), profiles: textList(t.Get("profile")), targets: textList(t.Get("targetProfile")),
			modes: textList(t.Get("aggregation"))}
		if strings.HasPrefix(st.code, fhirpathTypes) {
			st.code = "" // ids and urls: their form is the walk's matter
		}
		s.types = append(s.types, st)
	}
	s.restricted = len(s.types) > 0 && s.types[0].code != "" && !sameTypes(s.types, base)
	for _, k := range e.All() {
		switch name := k.Name(); {
		case strings.HasPrefix(name, "fixed"):
			s.fixed = k
		case strings.HasPrefix(name, "pattern"):
			s.pattern = k
		case strings.HasPrefix(name, "minValue"):
			s.least = k
		case strings.HasPrefix(name, "maxValue"):
			s.most = k
		}
	}
	s.narrative = readNarrativeRules(e)
	s.longest = number(e.Get("maxLength"), 0)
	if b := e.Get("binding"); b != nil {
		s.binds = true
		bound := &binding{strength: b.Get("strength").Text(), url: b.Get("valueSet").Text()}
		for _, x := range b.Get("extension").Items() {
			if x.Get("url").Text() == "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet" {
				bound.maximum = x.Get("valueCanonical").Text()
			}
		}
		if p, ok := relaxed[bound.url]; ok && bound.strength == definitions.BindingRequired {
			bound.strength = p
		}
		if base == nil || base.Binding == nil || base.Binding.Strength != bound.strength || base.Binding.ValueSet != strings.TrimSuffix(bound.url, "|4.0.1") {
			bound.set, bound.most = named(bound.url), named(bound.maximum)
			if bound.set != nil || bound.most != nil {
				s.bound = bound
			}
		}
	}
	for _, k := range e.Path("binding").Get("extension").Items() {
		if url := k.Get("url").Text(); url != additionalURL && url != toolsURL+"additional-binding" {
			continue
		}
		strength := map[string]string{"required": "required", "maximum": "required", "extensible": "extensible", "preferred": "preferred"}
		b := &binding{url: extensionOf(k, "valueSet").Text(), strength: strength[extensionOf(k, "purpose").Text()]}
		if b.set = named(b.url); b.set != nil && b.strength != "" {
			s.bounds = append(s.bounds, b)
		}
	}
	s.valued = extensionOf(e, laterURL+"mustHaveValue").Text() == "true"
	s.instead = extensionsOf(e, laterURL+"valueAlternatives")
	for _, k := range e.Get("constraint").Items() {
		key, expression := k.Get("key").Text(), k.Get("expression").Text()
		if expression == "" || structural[key] || known(base, key, expression) || c.v.options.NoBestPractice && bestPractice[key] {
			continue
		}
		if c.v.inherited(k.Get("source").Text()) {
			continue
		}
		s.invariants = append(s.invariants, c.v.compileInvariant(key, translated(k, "human"), k.Get("severity").Text(), expression))
	}
	if sl := e.Get("slicing"); sl != nil {
		s.slicing = c.v.readSlicing(sl)
	}
}

// translated is a text of a definition, and its translation into Chinese if it
// has one.
func translated(n *fhir.Node, name string) fhir.Text {
	t := fhir.Text{English: n.Get(name).Text(), Chinese: n.Get(name).Text()}
	for _, x := range n.Get("_" + name).Get("extension").Items() {
		if x.Get("url").Text() != core+"translation" || !strings.HasPrefix(extensionOf(x, "lang").Text(), "zh") {
			continue
		}
		if chinese := extensionOf(x, "content").Text(); chinese != "" {
			t.Chinese = chinese
		}
	}
	return t
}

// relaxed are bindings of R4's own profiles that were a mistake, as later versions
// have them: components of vital signs have other units too.
var relaxed = map[string]string{"http://hl7.org/fhir/ValueSet/ucum-vitals-common|4.0.1": definitions.BindingExtensible}

const (
	fhirpathTypes = "http://hl7.org/fhirpath/"
	// What later versions say of elements, R4 says by extensions.
	laterURL      = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition."
	additionalURL = laterURL + "binding.additional"
	toolsURL      = "http://hl7.org/fhir/tools/StructureDefinition/"
)

// inherited reports whether a constraint comes from a type of FHIR, which the
// walk evaluates.
func (v *Validator) inherited(source string) bool {
	t := v.defs.Type(source)
	return source != "" && t != nil && (t.URL == source || t.Name == source)
}

// sameTypes reports whether a profile leaves the types as they are.
func sameTypes(types []shapeType, base *definitions.Element) bool {
	if base == nil || len(types) != len(base.Types) {
		return false
	}
	for _, t := range types {
		if base.Type(t.code) == nil {
			return false
		}
	}
	return true
}

func known(base *definitions.Element, key, expression string) bool {
	if base == nil {
		return false
	}
	for _, c := range base.Constraints {
		if c.Key == key && c.Expression == expression {
			return true
		}
	}
	return false
}

func number(n *fhir.Node, otherwise int) int {
	if i, err := strconv.Atoi(n.Text()); err == nil {
		return i
	}
	return otherwise
}

func textList(n *fhir.Node) []string {
	var out []string
	for _, t := range n.Items() {
		out = append(out, t.Text())
	}
	return out
}

// prune marks the shapes that say nothing more than the type, and takes out
// those below others.
func prune(s *shape) {
	pruneSeen(s, map[*shape]bool{})
}

func pruneSeen(s *shape, seen map[*shape]bool) {
	if seen[s] {
		return
	}
	seen[s] = true
	kept := make([]*shape, 0, len(s.children))
	for _, k := range s.children {
		pruneSeen(k, seen)
		if !k.idle {
			kept = append(kept, k)
		}
	}
	for _, k := range s.slices {
		pruneSeen(k, seen)
	}
	s.children = kept
	s.idle = len(kept) == 0 && len(s.slices) == 0 && s.slicing == nil && !s.counted && !s.restricted && s.fixed == nil &&
		s.pattern == nil && s.least == nil && s.most == nil && s.longest == 0 && s.narrative == nil && s.bound == nil && len(s.bounds) == 0 && !s.valued && len(s.instead) == 0 && len(s.invariants) == 0 && s.slice == ""
	for _, t := range s.types {
		s.idle = s.idle && len(t.profiles) == 0 && len(t.targets) == 0 && len(t.modes) == 0
	}
}
