package interaction

import (
	"context"
	"html"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// The resources of a transaction refer to each other by the fullUrls of their
// entries, and to what is stored by criteria. Both become the references that hold
// on this server, in references, in elements of type uri, url, oid and uuid, and in
// the links of narratives; canonicals stay as they are.
//
// https://hl7.org/fhir/R4/http.html#trules

// linker replaces the links of a transaction's resources.
type linker struct {
	engine   *Engine
	actions  []*action
	single   bool                  // there is no Bundle whose entries could be meant
	criteria map[string]*reference // by what stands in Reference.reference
	order    []string              // of criteria, as they are met
	urls     map[string]string     // fullUrl → reference here; made for each plan
	lengths  uint64                // of the fullUrls, modulo 64
	means    map[string]string     // criterion → reference here; made for each plan
	path     [24]linkPlace         // room for walks
}

// reference is a conditional reference.
type reference struct {
	*criterion
	place string // of the entry that has it first
}

// linker prepares the links of actions: those of a Bundle, or of a single interaction
// that refers by criteria; nil for others. The specification has conditional references
// in transactions alone; anywhere else they would lead nowhere for good.
func (e *Engine) linker(ctx context.Context, v Viewer, actions []*action) (*linker, error) {
	if len(actions) == 0 || actions[0].place == "" && !asks(actions[0].tree) {
		return nil, nil
	}
	l := &linker{engine: e, actions: actions, single: actions[0].place == ""}
	for _, a := range actions {
		if a.tree == nil {
			continue
		}
		walk := linkWalk{definitions: e.Definitions, path: l.path[:0], may: asking, replace: func(n *fhir.Node, kind string) (*fhir.Node, error) {
			if kind != referenceKind || l.criteria[n.Text()] != nil {
				return nil, nil
			}
			typ, query, ok := l.conditional(n.Text())
			if !ok {
				return nil, nil
			}
			pairs, issues := search.Pairs(query)
			if fhir.HasErrors(issues) {
				return nil, &Refused{Fault: fault.New(fault.Invalid, "the criterion of a reference cannot be read"), Issues: issues}
			}
			c, err := e.criterion(ctx, v, typ, pairs)
			if err != nil {
				return nil, err
			}
			if l.criteria == nil {
				l.criteria = map[string]*reference{}
			}
			l.criteria[n.Text()] = &reference{criterion: c, place: a.place}
			l.order = append(l.order, n.Text())
			return nil, nil
		}}
		if _, err := walk.resource(a.tree); err != nil {
			return nil, at(a.place, err)
		}
	}
	return l, nil
}

// asks reports whether a resource may refer to another by criteria.
func asks(n *fhir.Node) bool {
	if n == nil {
		return false
	}
	for i := range n.Len() {
		switch k := n.At(i); k.Kind() {
		case fhir.Object, fhir.Array:
			if asks(k) {
				return true
			}
		case fhir.String:
			if asking(k.Name(), k.Text()) {
				return true
			}
		}
	}
	return false
}

// asking reports whether a text under a name may be a reference by criteria.
func asking(name, text string) bool { return name == "reference" && strings.Contains(text, "?") }

// conditional reads a reference by criteria.
func (l *linker) conditional(text string) (typ, query string, ok bool) {
	text = l.engine.relative(text)
	typ, query, ok = strings.Cut(text, "?")
	return typ, query, ok && l.engine.Definitions.IsResource(typ)
}

// resolve puts the references that hold by a plan into the trees, and returns what
// the plan took for the answers to criteria.
func (l *linker) resolve(ctx context.Context, p *planning, trees []*fhir.Node) ([]condition, error) {
	l.urls, l.lengths = make(map[string]string, len(p.actions)), 0
	if len(l.order) > 0 {
		l.means = make(map[string]string, len(l.order))
	}
	for i, a := range p.actions {
		if a.fullURL != "" && len(p.targets[i].keys) == 1 && a.verb != deletes {
			l.urls[a.fullURL] = p.targets[i].keys[0].String()
			l.lengths |= 1 << (len(a.fullURL) & 63)
		}
	}
	var conditions []condition
	for _, text := range l.order {
		r := l.criteria[text]
		found, err := r.find(ctx, p.Store, 2)
		if err != nil {
			return nil, err
		}
		id, err := p.meant(r.criterion, found, trees)
		if err != nil {
			return nil, at(r.place, err)
		}
		l.means[text] = r.typ + "/" + id
		conditions = append(conditions, condition{criterion: r.criterion, found: found, limit: 2, holds: func(found []string) error {
			if len(found) != 1 || found[0] != id {
				return at(r.place, unmet(len(found)))
			}
			return nil
		}})
	}
	var err error
	for i, a := range p.actions {
		if trees[i] == nil || p.targets[i].keeps {
			continue
		}
		if trees[i], err = l.rewrite(trees[i], a.fullURL); err != nil {
			return nil, at(a.place, err)
		}
	}
	return conditions, nil
}

// patched puts the references that hold into the result of a patch.
func (l *linker) patched(p *planning, i int, tree *fhir.Node) (*fhir.Node, error) {
	return l.rewrite(tree, p.actions[i].fullURL)
}

// meant decides which resource a conditional reference means: one that is stored, or
// one that the transaction writes.
func (p *planning) meant(c *criterion, found []string, trees []*fhir.Node) (string, error) {
	candidates := slices.Clone(found)
	for i, a := range p.actions {
		if a.key.Type != c.typ || p.targets[i].keeps {
			continue
		}
		for _, k := range p.targets[i].keys {
			at := slices.Index(candidates, k.ID)
			fits, known := at >= 0, true
			switch {
			case a.verb == deletes:
				fits = false
			case trees[i] != nil:
				fits, known = p.fits(c, trees[i])
			}
			switch {
			case !known:
			case fits && at < 0:
				candidates = append(candidates, k.ID)
			case !fits && at >= 0:
				candidates = slices.Delete(candidates, at, at+1)
			}
		}
	}
	if len(candidates) != 1 {
		return "", unmet(len(candidates))
	}
	return candidates[0], nil
}

// unmet is the error for a conditional reference that means no single resource.
func unmet(found int) error {
	text, code := "no resource fits the criterion of a reference", "not-found"
	if found > 1 {
		text, code = "more than one resource fits the criterion of a reference", "multiple-matches"
	}
	return fault.New(fault.Precondition, text).WithCode(code)
}

// links reports whether a text under a name may be a link that is rewritten.
func (l *linker) links(name, text string) bool {
	switch {
	case name == "reference":
		return true
	case l.lengths>>(len(text)&63)&1 != 0 && l.urls[text] != "":
		return true
	}
	return name == "div"
}

// rewrite returns a resource with its links replaced. fullURL is that of its entry, which
// relative references are read by.
func (l *linker) rewrite(tree *fhir.Node, fullURL string) (*fhir.Node, error) {
	base := restBase(fullURL, tree.ResourceType())
	walk := linkWalk{definitions: l.engine.Definitions, path: l.path[:0], may: l.links, replace: func(n *fhir.Node, kind string) (*fhir.Node, error) {
		text := n.Text()
		switch kind {
		case narrativeKind:
			if out := l.narrative(text); out != text {
				return fhir.NewString(out), nil
			}
			return nil, nil
		case linkKind:
			if to, ok := l.urls[text]; ok {
				return fhir.NewString(to), nil
			}
			return nil, nil
		}
		if to, ok := l.means[text]; ok {
			return fhir.NewString(to), nil
		}
		url, _, _ := strings.Cut(text, "/_history/")
		if base != "" && !strings.Contains(url, ":") && !strings.HasPrefix(url, "#") {
			url = base + url
		}
		if to, ok := l.urls[url]; ok {
			return fhir.NewString(to), nil
		}
		if !l.single && (strings.HasPrefix(text, "urn:uuid:") || strings.HasPrefix(text, "urn:oid:")) {
			line, column := n.Position()
			return nil, &Refused{Fault: fault.New(fault.Invalid, "a reference leads nowhere"), Issues: []fhir.Issue{{
				Severity: fhir.Error, Code: fhir.TypeNotFound, ID: "bundle-reference-unknown", Line: line, Column: column,
				Text: "a reference names an entry that the Bundle does not have",
			}}}
		}
		return nil, nil
	}}
	return walk.resource(tree)
}

// restBase returns what stands before Type/id in a fullUrl of that form, "" for
// others.
func restBase(fullURL, typ string) string {
	head, id, ok := cutLast(fullURL, "/")
	base, last, ok2 := cutLast(head, "/")
	if !ok || !ok2 || id == "" || last != typ || !strings.Contains(base, "://") {
		return ""
	}
	return base + "/"
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// narrative replaces the links and pictures of a narrative.
func (l *linker) narrative(text string) string {
	if !strings.Contains(text, "href") && !strings.Contains(text, "src") {
		return text
	}
	for _, attribute := range []string{"href=", "src="} {
		for from := 0; ; {
			i := strings.Index(text[from:], attribute)
			if i < 0 {
				break
			}
			from += i + len(attribute)
			if from >= len(text) || text[from] != '"' && text[from] != '\'' {
				continue
			}
			end := strings.IndexByte(text[from+1:], text[from])
			if end < 0 {
				break
			}
			end += from + 1
			if to, ok := l.urls[html.UnescapeString(text[from+1:end])]; ok {
				text = text[:from+1] + to + text[end:]
			}
		}
	}
	return text
}

// entryKey reads the address of an entry: a resource, or a type with criteria.
func (e *Engine) entryKey(url string) (k store.Key, query string, conditional bool) {
	path, query, conditional := strings.Cut(e.relative(url), "?")
	k.Type, k.ID, _ = strings.Cut(path, "/")
	return k, query, conditional
}
