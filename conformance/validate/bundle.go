package validate

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// bundle is a Bundle as references see it.
type bundle struct {
	node    *fhir.Node
	typ     string
	entries []bundleEntry
	at      int // the entry being walked, or none

	// Where entries are; made when somebody asks.
	indexed bool
	byURL   map[string][]int // fullUrl → entries
	byName  map[string][]int // Type/id → entries
	byNode  map[*fhir.Node]int
}

type bundleEntry struct {
	resource *fhir.Node
	url      string
	typ, id  string
	version  string
}

func openBundle(n *fhir.Node) *bundle {
	list := n.Get("entry").Items()
	b := &bundle{node: n, typ: n.Get("type").Text(), at: none, entries: make([]bundleEntry, len(list))}
	for i, e := range list {
		res := e.Get("resource")
		b.entries[i] = bundleEntry{resource: res, url: e.Get("fullUrl").Text(), typ: res.ResourceType(), id: res.ID(),
			version: res.Path("meta", "versionId").Text()}
	}
	return b
}

// index makes out where entries are.
func (b *bundle) index() {
	if b.indexed {
		return
	}
	b.indexed = true
	n := len(b.entries)
	b.byURL, b.byName, b.byNode = make(map[string][]int, n), make(map[string][]int, n), make(map[*fhir.Node]int, n)
	for i, k := range b.entries {
		if k.url != "" {
			b.byURL[k.url] = append(b.byURL[k.url], i)
		}
		if k.typ != "" && k.id != "" {
			b.byName[k.typ+"/"+k.id] = append(b.byName[k.typ+"/"+k.id], i)
		}
		if k.resource != nil {
			b.byNode[k.resource] = i
		}
	}
}

// placeOf is the entry that holds a resource; ok is false if none does.
func (b *bundle) placeOf(n *fhir.Node) (i int, ok bool) {
	b.index()
	i, ok = b.byNode[n]
	return i, ok
}

// found is what a reference leads to in a bundle.
type found struct {
	entries []int
	named   []int // have the type and id of the reference, but not its address
	based   bool  // the address could be made
	version string
}

// resolve follows a reference from an entry by the rules of
// https://hl7.org/fhir/R4/bundle.html#references.
func (b *bundle) resolve(reference string, from int) found {
	b.index()
	reference, _, _ = strings.Cut(reference, "#")
	name, version, _ := strings.Cut(reference, "/_history/")
	f := found{version: version}
	url := name
	if scheme, _, ok := strings.Cut(name, ":"); ok && validScheme(scheme) {
		f.based = true
	} else if from >= 0 && from < len(b.entries) {
		own := b.entries[from].url
		if base, ok := serverBase(own); ok {
			url, f.based = base+name, true
		} else if _, id, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(own, "urn:uuid:") {
			url, f.based = "urn:uuid:"+id, true
		}
	}
	if f.based {
		for _, i := range b.byURL[url] {
			if version == "" || b.entries[i].version == version || b.entries[i].version == "" && strings.HasSuffix(b.entries[i].url, version) {
				f.entries = append(f.entries, i)
			}
		}
		for _, i := range b.byURL[reference] {
			if version != "" && url != reference {
				f.entries = append(f.entries, i)
			}
		}
	}
	if parts := strings.Split(name, "/"); len(parts) >= 2 && len(f.entries) == 0 {
		f.named = b.byName[parts[len(parts)-2]+"/"+parts[len(parts)-1]]
	}
	return f
}

// serverBase is the part of an address on a server before Type/id.
func serverBase(url string) (string, bool) {
	if strings.HasPrefix(url, "urn:") {
		return "", false
	}
	i := strings.LastIndexByte(url, '/')
	if i <= 0 {
		return "", false
	}
	j := strings.LastIndexByte(url[:i], '/')
	if j < 0 || !validID(url[i+1:]) || j+1 >= i || url[j+1] < 'A' || url[j+1] > 'Z' {
		return "", false
	}
	return url[:j+1], true
}

// enter prepares the walk of a resource.
func (r *run) enter(n *fhir.Node, typ string) {
	if b := r.bundle(); b != nil {
		if i, ok := b.placeOf(n); ok {
			b.at = i
		}
	}
	switch typ {
	case "Bundle":
		r.bundles = append(r.bundles, openBundle(n))
	case "Parameters":
		r.bundles = append(r.bundles, openParameters(n))
	}
}

// openParameters sees the resources of Parameters as a bundle without addresses.
func openParameters(n *fhir.Node) *bundle {
	b := &bundle{node: n, typ: "Parameters", at: none, indexed: true, byName: map[string][]int{}, byNode: map[*fhir.Node]int{}}
	var walk func(list *fhir.Node, depth int)
	walk = func(list *fhir.Node, depth int) {
		for _, p := range list.Items() {
			if res := p.Get("resource"); res != nil {
				k := bundleEntry{resource: res, typ: res.ResourceType(), id: res.ID()}
				b.byName[k.typ+"/"+k.id] = append(b.byName[k.typ+"/"+k.id], len(b.entries))
				b.entries = append(b.entries, k)
			}
			if depth < DefaultMaxDepth {
				walk(p.Get("part"), depth+1)
			}
		}
	}
	walk(n.Get("parameter"), 0)
	return b
}

// bundle is the innermost bundle around the place, nil if there is none.
func (r *run) bundle() *bundle {
	if len(r.bundles) == 0 {
		return nil
	}
	return r.bundles[len(r.bundles)-1]
}

// leave judges a resource as a whole, when all below it has been walked.
func (r *run) leave(n *fhir.Node, typ string) {
	switch typ {
	case "Bundle":
		r.judgeBundle(r.bundle())
	case "Questionnaire":
		r.judgeQuestionnaire(n)
	case "QuestionnaireResponse":
		r.judgeResponse(n)
	case "StructureDefinition":
		r.judgeDefinition(n)
	case "SearchParameter":
		r.judgeSearchParameter(n)
	case "CapabilityStatement":
		r.judgeCapabilities(n)
	case "Observation":
		r.judgeVitalSigns(n)
	}
	r.claimed(n, typ)
	if n == r.top && !r.bare {
		r.askedFor(n, typ)
	}
	if typ == "Bundle" || typ == "Parameters" {
		r.bundles = r.bundles[:len(r.bundles)-1]
	}
}

// firstOf names the resource that a bundle of a type begins with.
var firstOf = map[string]string{"document": "Composition", "message": "MessageHeader"}

// identified are the bundles in which a resource need not have a fullUrl.
var unaddressed = set("transaction transaction-response batch batch-response")

func (r *run) judgeBundle(b *bundle) {
	if want := firstOf[b.typ]; want != "" {
		switch {
		case len(b.entries) == 0:
			r.fail(b.node, msgBundleFirst, want)
		case b.entries[0].typ != want:
			r.push("entry", 0)
			r.fail(b.node, msgBundleFirst, want)
			r.pop()
		}
	}
	var seen map[string]bool
	if b.typ != "history" && !unaddressed[b.typ] {
		seen = make(map[string]bool, len(b.entries))
	}
	for i := range b.entries {
		e := &b.entries[i]
		r.push("entry", i)
		r.judgeEntry(b, e, seen)
		r.pop()
	}
	r.judgeLinks(b)
	if b.typ == "searchset" {
		r.judgeSearch(b)
	}
	if b.typ == "document" || b.typ == "message" {
		r.judgeReach(b)
	}
}

func (r *run) judgeEntry(b *bundle, e *bundleEntry, seen map[string]bool) {
	n := e.resource
	if e.url == "" {
		outcome := b.typ == "searchset" && e.typ == "OperationOutcome"
		if n != nil && !unaddressed[b.typ] && len(r.bundles) == 1 && !outcome {
			r.fail(n, msgFullURLMissing)
		}
		return
	}
	if seen != nil && n != nil {
		key := e.url + "\n" + e.version
		if seen[key] {
			r.fail(n, msgFullURLDuplicate)
		}
		seen[key] = true
	}
	base, onServer := serverBase(e.url)
	if n == nil || !onServer || !strings.HasPrefix(base, "http") {
		return
	}
	named := strings.TrimPrefix(e.url, base)
	kind, _, _ := strings.Cut(named, "/")
	switch {
	case !r.v.defs.IsResource(kind):
	case e.id == "" && b.typ != "transaction" && b.typ != "batch":
		r.fail(n, msgFullURLNoID)
	case e.id != "" && named != e.typ+"/"+e.id:
		r.fail(n, msgFullURLMismatch)
	}
}

// onceOnly are the relations of which a bundle has one link.
var onceOnly = set("self first previous prev next last")

// ownStylesheet is the one that documents may name without holding it.
const ownStylesheet = "https://hl7.org/fhir/fhir.css"

func (r *run) judgeLinks(b *bundle) {
	links := b.node.Get("link").Items()
	if len(links) == 0 {
		return
	}
	seen := map[string]bool{}
	for i, l := range links {
		relation := l.Get("relation").Text()
		r.push("link", i)
		if onceOnly[relation] {
			if seen[relation] {
				r.fail(l, msgBundleLinkDuplicate)
			}
			seen[relation] = true
		}
		if relation == "stylesheet" {
			url := l.Get("url")
			if url.Text() == ownStylesheet {
				r.pop()
				continue
			}
			if strings.Contains(url.Text(), "://") {
				r.reportBelow(url, fhir.Warning, msgBundleStylesheetExternal, "url")
			} else if f := b.resolve(url.Text(), none); len(f.entries)+len(f.named) == 0 {
				r.reportBelow(url, fhir.Error, msgBundleStylesheet, "url")
			}
		}
		r.pop()
	}
}

func (r *run) judgeSearch(b *bundle) {
	self, modes := false, true
	for _, l := range b.node.Get("link").Items() {
		self = self || l.Get("relation").Text() == "self"
	}
	if !self {
		r.report(b.node, fhir.Warning, msgBundleSearchSelf)
	}
	for _, e := range b.node.Get("entry").Items() {
		modes = modes && e.Path("search", "mode") != nil
	}
	if !modes {
		r.report(b.node, fhir.Warning, msgBundleSearchMode)
	}
}

// judgeReach tests that references lead from the first entry of a document or
// message to each other one.
func (r *run) judgeReach(b *bundle) {
	if len(b.entries) == 0 {
		return
	}
	links := make([][]int, len(b.entries))
	back := make([][]int, len(b.entries))
	for i := range b.entries {
		eachReference(b.entries[i].resource, 0, func(reference string) {
			f := b.resolve(reference, i)
			for _, j := range f.entries {
				links[i] = append(links[i], j)
				back[j] = append(back[j], i)
			}
		})
	}
	forward := reach(links, nil)
	either := reach(links, back)
	for _, l := range b.node.Get("link").Items() {
		for _, j := range b.resolve(l.Get("url").Text(), none).named {
			forward[j], either[j] = true, true
		}
	}
	for i := range b.entries {
		if i == 0 || b.entries[i].resource == nil {
			continue
		}
		r.push("entry", i)
		switch {
		case !either[i] && b.typ == "document":
			r.fail(b.entries[i].resource, msgBundleUnreachable)
		case !either[i]:
			r.report(b.entries[i].resource, fhir.Warning, msgBundleUnreachable)
		case !forward[i] && b.entries[i].typ != "Provenance" && b.typ == "document":
			r.report(b.entries[i].resource, fhir.Warning, msgBundleReverse)
		}
		r.pop()
	}
}

// reach marks what can be reached from the first.
func reach(links, back [][]int) []bool {
	seen := make([]bool, len(links))
	seen[0] = true
	for todo := []int{0}; len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		next := links[i]
		if back != nil {
			next = append(next[:len(next):len(next)], back[i]...)
		}
		for _, j := range next {
			if !seen[j] {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
	return seen
}

// maxReferenceDepth bounds the search for references.
const maxReferenceDepth = DefaultMaxDepth

// eachReference calls f for every literal reference in a tree.
func eachReference(n *fhir.Node, depth int, f func(string)) {
	if depth > maxReferenceDepth {
		return
	}
	for _, k := range n.All() {
		switch k.Kind() {
		case fhir.Object, fhir.Array:
			eachReference(k, depth+1, f)
		case fhir.String:
			if k.Name() == "reference" && !strings.HasPrefix(k.Text(), "#") {
				f(k.Text())
			}
		}
	}
}

// claimed judges a resource by the profiles that it says it conforms to.
func (r *run) claimed(n *fhir.Node, typ string) {
	for i, c := range n.Path("meta", "profile").Items() {
		if c.Kind() != fhir.String || i >= maxClaims || r.bare {
			continue
		}
		p, err := r.v.profile(c.Text())
		where := "meta.profile[" + strconv.Itoa(i) + "]"
		switch {
		case err != nil:
			r.reportBelow(c, fhir.Warning, msgClaimUnusable, where, err)
		case p == nil:
			if t := r.v.defs.Type(c.Text()); t == nil || t.Name == c.Text() {
				r.reportBelow(c, fhir.Warning, msgClaimUnknown, where)
			}
		case p.typ != typ && !r.v.defs.IsA(typ, p.typ):
			r.reportBelow(c, fhir.Error, msgProfileWrongType, where, p.url, p.typ)
		default:
			r.conform(p, r.resourceItem(n))
		}
	}
	if !r.bare {
		r.globally(n, typ)
	}
}

// maxClaims bounds how many profiles of one resource are looked at.
const maxClaims = 64

// askedFor judges a resource by the profiles that the caller asked for.
func (r *run) askedFor(n *fhir.Node, typ string) {
	for _, url := range r.asked {
		p, err := r.v.profile(url)
		switch {
		case err != nil:
			r.fail(n, msgProfileUnusable, url, err)
		case p == nil:
			if t := r.v.defs.Type(url); t == nil {
				r.fail(n, msgProfileUnknown, url)
			} else if !r.v.defs.IsA(typ, t.Name) {
				r.fail(n, msgProfileWrongType, url, t.Name)
			}
		case p.typ != typ && !r.v.defs.IsA(typ, p.typ):
			r.fail(n, msgProfileWrongType, p.url, p.typ)
		default:
			r.conform(p, r.resourceItem(n))
		}
	}
}
