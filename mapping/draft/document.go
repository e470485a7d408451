package draft

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/record"
)

// documentKind is a kind of JSON or XML document: those whose structures resemble each other.
type documentKind struct {
	*scope
	format string
	docs   []*documentSample
	// root and space are the root element and namespace of an XML document.
	root, space string
	// where tells the documents from those of the other kinds: a path that only they have.
	where  string
	paths  map[string]int // in how many documents a path stands
	mapped string         // name of the map that reads them
}

// maxDepth bounds how deep a document is looked into; alike is how much two documents of one kind have in common.
const (
	maxDepth = 24
	alike    = 0.6
)

// group sorts the documents into kinds and profiles each.
func (s *samples) group() []*documentKind {
	var kinds []*documentKind
	for _, d := range s.docs {
		paths := map[string]bool{}
		structure(d.rec.Root, "", 0, paths)
		var best *documentKind
		most := 0.0
		for _, k := range kinds {
			if k.format != d.rec.Format || k.root != d.rec.Type || k.space != d.rec.Version {
				continue
			}
			if like := k.resembles(paths); like > most {
				best, most = k, like
			}
		}
		if best == nil || !best.builtin() && most < alike {
			if !s.left.table() {
				s.refuse(d.file, "", "too-many-tables")
				continue
			}
			best = &documentKind{scope: &scope{}, format: d.rec.Format, root: d.rec.Type, space: d.rec.Version, paths: map[string]int{}}
			kinds = append(kinds, best)
		}
		best.docs = append(best.docs, d)
		for p := range paths {
			best.paths[p]++
		}
	}
	for i, k := range kinds {
		k.order = i
		if k.builtin() {
			k.rows = len(k.docs)
			continue
		}
		k.distinguish(kinds)
		s.profileDocuments(k)
	}
	return kinds
}

// builtin reports documents that the built-in maps read: those of WS/T 500.
func (k *documentKind) builtin() bool { return k.space == "urn:hl7-org:v3" }

// resembles is the share of common paths among all of both.
func (k *documentKind) resembles(paths map[string]bool) float64 {
	if len(paths) == 0 && len(k.paths) == 0 {
		return 1
	}
	both := 0
	for p := range paths {
		if k.paths[p] > 0 {
			both++
		}
	}
	return float64(both) / float64(max(min(len(paths), len(k.paths)), 1))
}

// structure collects the paths of a document's groups and values; items of an array are one.
func structure(n *record.Node, at string, depth int, into map[string]bool) {
	if depth > maxDepth || len(into) > 5000 {
		return
	}
	switch n.Kind() {
	case record.Group:
		for _, k := range n.Kids() {
			p := at + "\x00" + k.Name()
			into[p] = true
			structure(k, p, depth+1, into)
		}
	case record.List:
		for _, k := range n.Kids() {
			structure(k, at, depth+1, into)
		}
	}
}

// distinguish looks for a path that all documents of the kind have and no other's: the shortest, then the first.
func (k *documentKind) distinguish(all []*documentKind) {
	var best []string
	for p, n := range k.paths {
		if n < len(k.docs) || strings.Count(p, "\x00") > 3 {
			continue
		}
		steps := strings.Split(p, "\x00")[1:]
		alone := reachable(steps)
		for _, o := range all {
			if o != k && o.format == k.format && o.root == k.root && o.paths[p] > 0 {
				alone = false
			}
		}
		if alone && k.reaches(steps) && (best == nil || len(steps) < len(best) || len(steps) == len(best) && slices.Compare(steps, best) < 0) {
			best = steps
		}
	}
	if best != nil {
		k.where = pathOf(best)
	}
}

// reaches reports whether every document has a value there: a condition looks at values.
func (k *documentKind) reaches(steps []string) bool {
	for _, d := range k.docs {
		n := d.rec.Root
		for _, s := range steps {
			if n = n.Get(s); n.Kind() == record.List {
				return false
			}
		}
		if n.State() != record.Present || n.Kind() != record.Leaf {
			return false
		}
	}
	return true
}

// profileDocuments builds the scopes of the kind: the document, and an array's items inside it.
func (s *samples) profileDocuments(k *documentKind) {
	repeats := map[string]bool{}
	for _, d := range k.docs {
		repeating(d.rec.Root, "", 0, repeats)
	}
	w := documentWalk{s: s, repeats: repeats}
	for _, d := range k.docs {
		k.rows++
		w.group(d.rec.Root, k.scope, nil, "", s.row(k.scope), 0)
	}
}

// repeating collects the paths that hold several groups in some document.
func repeating(n *record.Node, at string, depth int, into map[string]bool) {
	if depth > maxDepth {
		return
	}
	switch n.Kind() {
	case record.Group:
		seen := map[string]bool{}
		for _, k := range n.Kids() {
			p := at + "\x00" + k.Name()
			if k.Kind() == record.List {
				for _, item := range k.Kids() {
					if item.Kind() == record.Group {
						into[p] = true
					}
				}
			} else if seen[p] && k.Kind() == record.Group {
				into[p] = true
			}
			seen[p] = true
			repeating(k, p, depth+1, into)
		}
	case record.List:
		for _, k := range n.Kids() {
			repeating(k, at, depth+1, into)
		}
	}
}

type documentWalk struct {
	s       *samples
	repeats map[string]bool
}

func (w *documentWalk) group(n *record.Node, at *scope, steps []string, key string, row []string, depth int) {
	if depth > maxDepth {
		return
	}
	if n.Kind() == record.Group && depth > 0 && strings.TrimSpace(n.Text()) != "" { // an XML element with attributes and text
		own := steps
		if len(own) == 0 {
			own = []string{itself}
		}
		w.leaf(n, at, own, &row)
	}
	for _, k := range n.Kids() {
		p := key + "\x00" + k.Name()
		below := append(slices.Clip(steps), k.Name())
		if w.repeats[p] {
			inner := w.inner(at, below)
			if inner == nil {
				continue
			}
			for _, item := range k.Repetitions() {
				if item.Kind() == record.Group {
					inner.rows++
					w.group(item, inner, nil, p, w.s.row(inner), depth+1)
				}
			}
			continue
		}
		switch k.Kind() {
		case record.Group:
			w.group(k, at, below, p, row, depth+1)
		case record.List:
			if len(k.Kids()) > 0 && k.Kids()[0].Kind() == record.Leaf {
				w.leaf(k.Kids()[0], at, below, &row)
			} else if len(k.Kids()) == 0 {
				continue // nothing is known of its items
			}
		default:
			w.leaf(k, at, below, &row)
		}
	}
}

func (w *documentWalk) leaf(n *record.Node, at *scope, steps []string, row *[]string) {
	if !reachable(steps) {
		return
	}
	c := at.column(steps, &w.s.left)
	if c == nil {
		return
	}
	if *row != nil && c.at >= len(*row) {
		grown := make([]string, c.at+1, 2*c.at+4)
		copy(grown, *row)
		*row = grown
		at.cells[len(at.cells)-1] = grown
	}
	w.s.count(c, n, *row)
}

// inner returns the scope of an array's items.
func (w *documentWalk) inner(at *scope, steps []string) *scope {
	for _, k := range at.kids {
		if slices.Equal(k.step, steps) {
			return k
		}
	}
	if !reachable(steps) || !w.s.left.table() {
		return nil
	}
	each := pathOf(steps)
	if at.each != "" {
		each = at.each + "." + each
	}
	k := &scope{name: steps[len(steps)-1], parent: at, step: slices.Clone(steps), each: each}
	at.kids = append(at.kids, k)
	return k
}
