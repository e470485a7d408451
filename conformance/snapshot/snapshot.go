package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/fhir"
)

// Source finds definitions by resource type and canonical URL, which may end in |version. What it returns is only read.
// It is called from as many goroutines as call the Generator.
type Source interface {
	Resolve(kind, url string) (*fhir.Node, bool)
}

// Limits bound the work on one snapshot. Zero values mean the defaults.
type Limits struct {
	Elements    int // of one snapshot
	Bytes       int // of one snapshot in memory, and of all values that differentials put in on the way
	Changes     int // elements of one differential
	Items       int // values of one property of an element
	Derivations int // profiles on profiles, and profiles that need each other's snapshot
	Steps       int // elements that are read or changed on the way, those of other definitions included
	Issues      int // findings about one definition
	Cached      int // bytes of the snapshots that are kept for the next call
}

// The default limits.
const (
	DefaultElements    = 20_000
	DefaultBytes       = 32 << 20
	DefaultChanges     = 5_000
	DefaultItems       = 1_000
	DefaultDerivations = 32
	DefaultSteps       = 30_000
	DefaultIssues      = 100
	DefaultCached      = 64 << 20
)

func (l Limits) withDefaults() Limits {
	set := func(v *int, value int) {
		if *v <= 0 {
			*v = value
		}
	}
	set(&l.Elements, DefaultElements)
	set(&l.Bytes, DefaultBytes)
	set(&l.Changes, DefaultChanges)
	set(&l.Items, DefaultItems)
	set(&l.Derivations, DefaultDerivations)
	set(&l.Steps, DefaultSteps)
	set(&l.Issues, DefaultIssues)
	set(&l.Cached, DefaultCached)
	return l
}

// Options say what is allowed.
type Options struct {
	// Unsorted accepts differentials whose elements do not stand in the order of what they constrain.
	Unsorted bool
	Limits   Limits
}

// Generator makes snapshots. It keeps the snapshots of what it met on the way, as many as its limits allow, and is safe
// for concurrent use.
type Generator struct {
	source   Source
	limits   Limits
	unsorted bool

	mu     sync.Mutex
	cached map[string]*structure
	total  int
}

// New returns a generator that finds definitions in source.
func New(source Source, options Options) *Generator {
	return &Generator{
		source: source, limits: options.Limits.withDefaults(), unsorted: options.Unsorted, cached: map[string]*structure{},
	}
}

// Resolve finds a StructureDefinition with a snapshot: its own if it has one, else the one that is generated. The result
// is nil if there is no such definition, or nothing could be generated; then the issues say why. It is only read.
func (g *Generator) Resolve(url string) (*fhir.Node, []fhir.Issue) {
	sd, ok := g.source.Resolve("StructureDefinition", url)
	if !ok || sd.Path("snapshot", "element").Len() > 0 {
		return sd, nil
	}
	return g.Generate(sd)
}

// Generate returns a copy of a StructureDefinition with the snapshot that follows from its differential and what it
// derives from, in place of the one it may have. Contradictions are issues; an element in error is left as its base has
// it. The result is nil if nothing could be generated at all, and the issues say why.
func (g *Generator) Generate(sd *fhir.Node) (*fhir.Node, []fhir.Issue) {
	w := &work{Generator: g, top: sd}
	s := w.generate(sd)
	if s == nil {
		return nil, w.issues
	}
	out := fhir.NewObject()
	done := false
	put := func() {
		out.Set("snapshot", fhir.NewObject().Set("element", s.list()))
		done = true
	}
	for _, v := range sd.All() {
		switch v.Name() {
		case "snapshot":
			put()
		case "differential":
			if !done {
				put()
			}
			out.Set(v.Name(), v.Clone())
		default:
			out.Set(v.Name(), v.Clone())
		}
	}
	if !done {
		put()
	}
	return out, w.issues
}

// work is the making of one snapshot, with those that it needs.
type work struct {
	*Generator
	issues []fhir.Issue

	top   *fhir.Node // the definition that was asked for
	sd    *fhir.Node // the one whose elements findings speak of
	root  *element   // what content references of the base point into
	quiet bool       // findings about other definitions are not the caller's
	inner fhir.Text  // the first of those
	open  []string   // definitions being made, outermost first
	steps int
	bytes int // of the values that were put in
	cut   int // how often a definition was not made because it is being made, or there are too many
}

// step counts work and reports whether there may be more.
func (w *work) step(n int) bool {
	if w.exhausted() {
		return false
	}
	if w.steps += n; w.exhausted() {
		w.giveUp("too-many-steps", "the snapshot takes more than {1} steps", w.limits.Steps)
	}
	return !w.exhausted()
}

// put counts values that are put in, as step does.
func (w *work) put(props properties) bool {
	for _, p := range props {
		w.bytes += p.cost
	}
	if !w.exhausted() && w.bytes > w.limits.Bytes {
		w.steps = w.limits.Steps + 1
		w.giveUp("too-large", "the snapshot would take more than {1} bytes", w.limits.Bytes)
	}
	return !w.exhausted()
}

func (w *work) exhausted() bool { return w.steps > w.limits.Steps }

// giveUp says why no more is done, whatever definition is being made.
func (w *work) giveUp(id, text string, details ...any) {
	w.cut++
	quiet := w.quiet
	w.quiet = false
	w.report(-1, fhir.Error, fhir.TypeTooCostly, id, text, details...)
	w.quiet = quiet
}

func (w *work) report(index int, severity fhir.Severity, code fhir.IssueType, id, text string, details ...any) {
	said := texts.Say(text, details...)
	if w.quiet && w.inner == (fhir.Text{}) && (severity == fhir.Error || id == "dependency-flawed") {
		w.inner = said
	}
	if w.quiet || len(w.issues) >= w.limits.Issues {
		return
	}
	i := fhir.Issue{Severity: severity, Code: code, ID: id, Text: said.English, Chinese: said.Chinese, Expression: "StructureDefinition"}
	at := w.top
	if index >= 0 && w.sd == w.top {
		i.Expression = fmt.Sprintf("StructureDefinition.differential.element[%d]", index)
		at = w.top.Path("differential", "element").At(index)
	}
	i.Line, i.Column = at.Position()
	w.issues = append(w.issues, i)
}

// generate makes the tree of a definition.
func (w *work) generate(sd *fhir.Node) *structure {
	url := sd.Get("url").Text()
	before, root := w.sd, w.root
	w.sd, w.open = sd, append(w.open, url)
	defer func() { w.sd, w.root, w.open = before, root, w.open[:len(w.open)-1] }()

	if sd.ResourceType() != "StructureDefinition" {
		w.report(-1, fhir.Error, fhir.TypeInvalid, "no-definition", "this is no StructureDefinition")
		return nil
	}
	s := describe(sd)
	if s.typ == "" {
		w.report(-1, fhir.Error, fhir.TypeRequired, "type-missing", "the definition names no type")
		return nil
	}
	changes := sd.Path("differential", "element").Items()
	if len(changes) > w.limits.Changes {
		w.report(-1, fhir.Error, fhir.TypeTooCostly, "too-many-changes",
			"the differential has more than {1} elements", w.limits.Changes)
		return nil
	}
	var base *element
	switch {
	case s.base != "":
		w.inner = fhir.Text{}
		of := w.structure(s.base)
		if of == nil {
			if w.inner == (fhir.Text{}) {
				w.report(-1, fhir.Error, fhir.TypeNotFound, "base-missing", "the base definition {1} has no snapshot that could be used", clip(s.base))
			} else {
				w.report(-1, fhir.Error, fhir.TypeNotFound, "base-missing", "the base definition {1} has no snapshot that could be used: {2}", clip(s.base), w.inner)
			}
			return nil
		}
		base, w.root = of.root, of.root
		if !s.typeOnly && of.typ != s.typ {
			w.report(-1, fhir.Error, fhir.TypeInvalid, "type-changed",
				"a constraint on {1} cannot be a definition of {2}", clip(of.typ), clip(s.typ))
			return nil
		}
	case s.typeOnly:
		base = newElement(s.typ, "", nil, nil)
		w.root = base
	default:
		w.report(-1, fhir.Error, fhir.TypeRequired, "base-missing", "a constraint names no base definition")
		return nil
	}
	if s.typeOnly && base.name != s.typ {
		base = newElement(s.typ, "", base.props, base.children)
	}
	top := w.differential(changes, s.typ)
	s.root = w.merge(base, top, context{specialize: s.typeOnly, path: s.typ, url: s.url})
	switch {
	case w.exhausted():
		return nil
	case s.root.size > w.limits.Elements:
		w.report(-1, fhir.Error, fhir.TypeTooCostly, "too-many-elements",
			"the snapshot would have more than {1} elements", w.limits.Elements)
		return nil
	case s.root.cost > w.limits.Bytes:
		w.report(-1, fhir.Error, fhir.TypeTooCostly, "too-large",
			"the snapshot would take more than {1} bytes", w.limits.Bytes)
		return nil
	}
	return s
}

// making reports whether the snapshot of a definition is being made.
func (w *work) making(url string) bool {
	url, _, _ = strings.Cut(url, "|")
	return slices.Contains(w.open, url)
}

// structure finds the tree of another definition: of its snapshot if it has one, else of one that is made.
func (w *work) structure(url string) *structure {
	s := w.kept(url)
	if s == nil {
		sd, ok := w.source.Resolve("StructureDefinition", url)
		if !ok {
			return nil
		}
		cut := w.cut
		if s = w.other(sd); s == nil {
			return nil
		}
		if w.cut == cut {
			// What was made in the middle of a cycle lacks what is being made, and holds here alone.
			w.keep(url, s)
		}
	}
	if s.flaw != (fhir.Text{}) {
		w.reportOnce(fhir.Warning, fhir.TypeProcessing, "dependency-flawed", "{1} has errors: {2}", clip(s.url), s.flaw)
	}
	return s
}

// other reads the snapshot of another definition, or makes it.
func (w *work) other(sd *fhir.Node) *structure {
	if s := read(sd, w.limits); s != nil {
		if !w.step(s.root.size) {
			return nil
		}
		return s
	}
	own := sd.Get("url").Text()
	var text fhir.Text
	switch {
	case sd.Path("snapshot", "element").Len() > 0:
		text = texts.Say("the snapshot of {1} is broken or over a limit", clip(own))
	case w.making(own):
		w.cut++
		w.report(-1, fhir.Error, fhir.TypeBusinessRule, "cycle", "the snapshot of {1} depends on itself", clip(own))
		return nil
	case len(w.open) >= w.limits.Derivations:
		w.cut++
		text = texts.Say("more than {1} definitions need each other's snapshot", w.limits.Derivations)
	}
	if text != (fhir.Text{}) {
		if w.inner == (fhir.Text{}) {
			w.inner = text
		}
		return nil
	}
	quiet, inner := w.quiet, w.inner
	w.quiet, w.inner = true, fhir.Text{}
	s := w.generate(sd)
	w.quiet = quiet
	if s != nil {
		s.flaw = w.inner
		w.inner = inner
	}
	return s
}

// reportOnce reports what concerns the whole definition, if it was not said before.
func (w *work) reportOnce(severity fhir.Severity, code fhir.IssueType, id, text string, details ...any) {
	said := texts.Say(text, details...)
	if !slices.ContainsFunc(w.issues, func(i fhir.Issue) bool { return i.ID == id && i.Text == said.English }) {
		w.report(-1, severity, code, id, text, details...)
	}
}

func (g *Generator) kept(url string) *structure {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cached[url]
}

// keep remembers a structure. When there are too many, all are forgotten: what is used is soon back.
func (g *Generator) keep(url string, s *structure) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total+s.root.cost > g.limits.Cached {
		clear(g.cached)
		g.total = 0
	}
	if s.root.cost <= g.limits.Cached && g.cached[url] == nil {
		g.cached[url] = s
		g.total += s.root.cost
	}
}

// canonicalOf is the URL of the definition of a type.
func canonicalOf(code string) string {
	switch {
	case code == "":
		return ""
	case strings.HasPrefix(code, systemTypes):
		// The primitives of FHIRPath stand for the elements of FHIR's own.
		name := strings.TrimPrefix(code, systemTypes)
		return definitions + strings.ToLower(name[:min(1, len(name))]) + name[min(1, len(name)):]
	case strings.Contains(code, ":"):
		return code
	}
	return definitions + code
}

const (
	definitions = "http://hl7.org/fhir/StructureDefinition/"
	systemTypes = "http://hl7.org/fhirpath/System."
)
