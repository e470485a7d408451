package reference

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/patch"
)

var idForm = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

func (s *Server) versions(kind, id string) []version { return s.stored[kind][id] }

// current returns the last version, nil if there never was one.
func (s *Server) current(kind, id string) *version {
	if v := s.versions(kind, id); len(v) > 0 {
		return &v[len(v)-1]
	}
	return nil
}

// store makes the next version of a resource; a nil node deletes it.
func (s *Server) store(kind, id string, n *fhir.Node, method string) *version {
	old := s.versions(kind, id)
	s.changes++
	v := version{number: len(old) + 1, at: time.Now().UTC().Truncate(time.Millisecond), change: s.changes, method: method}
	if s.faults[UpdateVersionSame] && len(old) > 0 {
		v.number = old[len(old)-1].number
	}
	if n != nil {
		v.node = s.stamped(n, kind, id, v)
	}
	if s.stored[kind] == nil {
		s.stored[kind] = map[string][]version{}
	}
	s.stored[kind][id] = append(old, v)
	return s.current(kind, id)
}

// stamped copies a resource, with the id and meta the server gives it.
func (s *Server) stamped(n *fhir.Node, kind, id string, v version) *fhir.Node {
	out := fhir.NewObject().SetString("resourceType", kind).SetString("id", id)
	meta := n.Get("meta").Clone()
	if meta == nil {
		meta = fhir.NewObject()
	}
	meta.SetString("versionId", strconv.Itoa(v.number))
	meta.SetString("lastUpdated", v.at.Format("2006-01-02T15:04:05.000Z07:00"))
	if s.faults[LastUpdatedMissing] {
		meta.Remove("lastUpdated")
	}
	out.Set("meta", meta)
	for _, p := range n.All() {
		switch p.Name() {
		case "resourceType", "id", "meta":
		default:
			out.Set(p.Name(), p.Clone())
		}
	}
	s.spoil(out)
	return out
}

// spoil loses what the faults say.
func (s *Server) spoil(n *fhir.Node) {
	if s.faults[ContainedDropped] {
		n.Remove("contained")
	}
	if s.faults[ExtensionDropped] || s.faults[PrimitiveExtensionLost] || s.faults[ArraysReversed] || s.faults[DecimalRounded] || s.faults[TextMangled] {
		s.spoilTree(n)
	}
}

func (s *Server) spoilTree(n *fhir.Node) {
	for i := n.Len() - 1; i >= 0; i-- {
		c := n.At(i)
		switch {
		case s.faults[ExtensionDropped] && c.Name() == "extension",
			s.faults[PrimitiveExtensionLost] && strings.HasPrefix(c.Name(), "_"):
			n.RemoveAt(i)
			continue
		case s.faults[ExtensionDropped] && strings.HasPrefix(c.Name(), "_"):
			continue // those of primitives are another fault
		case s.faults[DecimalRounded] && c.Kind() == fhir.Number && strings.Contains(c.Text(), "."):
			n.SetAt(i, fhir.NewNumber(strings.TrimRight(strings.TrimRight(c.Text(), "0"), ".")))
			continue
		case s.faults[TextMangled] && c.Kind() == fhir.String:
			n.SetAt(i, fhir.NewString(strings.Map(func(r rune) rune {
				if r > 0xFFFF {
					return '?'
				}
				return r
			}, c.Text())))
			continue
		case s.faults[ArraysReversed] && c.Kind() == fhir.Array:
			back := fhir.NewArray()
			for j := c.Len() - 1; j >= 0; j-- {
				back.Append(c.At(j).Clone())
			}
			n.SetAt(i, back)
			c = n.At(i)
		}
		s.spoilTree(c)
	}
}

// found answers with a version.
func (s *Server) found(status int, kind, id string, v *version) *answer {
	return &answer{status: status, node: v.node, version: v,
		location: s.base + "/" + kind + "/" + id + "/_history/" + strconv.Itoa(v.number)}
}

func (s *Server) read(r *request, kind, id string) *answer {
	all := s.versions(kind, id)
	v := s.current(kind, id)
	switch {
	case v == nil && s.faults[ReadMissingOK]:
		return &answer{status: http.StatusOK, node: fhir.NewObject().SetString("resourceType", kind).SetString("id", id)}
	case v == nil:
		return notFound()
	case v.node == nil && s.faults[DeletedStillRead] && len(all) > 1:
		v = &all[len(all)-2]
	case v.node == nil && s.faults[DeletedNotFound]:
		return notFound()
	case v.node == nil:
		a := outcome(http.StatusGone, fhir.TypeDeleted, "it has been deleted")
		a.version = v
		return a
	case s.faults[ReadStale]:
		v = &all[0]
	}
	if match := r.header.Get("If-None-Match"); match != "" && match == etag(v.number) && !s.faults[IfNoneMatchIgnored] {
		return &answer{status: http.StatusNotModified, version: v}
	}
	a := s.found(http.StatusOK, kind, id, v)
	a.location = ""
	if s.faults[ReadIncomplete] {
		a.node = v.node.Clone()
		a.node.Remove("identifier")
	}
	return a
}

func (s *Server) vread(kind, id, number string) *answer {
	all := s.versions(kind, id)
	for i := range all {
		v := &all[i]
		if strconv.Itoa(v.number) != number {
			continue
		}
		if s.faults[VReadCurrent] {
			v = &all[len(all)-1]
		}
		if v.node == nil {
			return outcome(http.StatusGone, fhir.TypeDeleted, "this version is a deletion")
		}
		a := s.found(http.StatusOK, kind, id, v)
		a.location = ""
		return a
	}
	return notFound()
}

// sound says what is wrong with a body, nil if nothing is.
func (s *Server) sound(n *fhir.Node, kind string) *answer {
	switch {
	case n.Kind() != fhir.Object || n.ResourceType() == "":
		return invalid("there is no resource in the body")
	case n.ResourceType() != kind:
		return invalid("the body is of another type than the URL")
	}
	if issues := s.validator.Resource(n); fhir.HasErrors(issues) && !s.faults[InvalidAccepted] {
		return &answer{status: http.StatusUnprocessableEntity, node: fhir.Outcome("", issues)}
	}
	return nil
}

func (s *Server) create(r *request, kind string) *answer {
	if a := s.sound(r.node, kind); a != nil {
		return a
	}
	if condition := r.header.Get("If-None-Exist"); condition != "" && !s.faults[IfNoneExistIgnored] {
		ids, wrong := s.matching(kind, condition)
		switch {
		case wrong != nil:
			return wrong
		case len(ids) == 1, len(ids) > 1 && s.faults[IfNoneExistFirst]:
			return s.found(http.StatusOK, kind, ids[0], s.current(kind, ids[0]))
		case len(ids) > 1:
			return outcome(http.StatusPreconditionFailed, fhir.TypeConflict, "several match")
		}
	}
	id := s.newID()
	if own := r.node.ID(); own != "" && s.faults[CreateKeepsID] {
		id = own
	}
	return s.found(http.StatusCreated, kind, id, s.store(kind, id, r.node, http.MethodPost))
}

func (s *Server) newID() string {
	s.next++
	return "ref-" + strconv.Itoa(s.next)
}

func (s *Server) update(r *request, kind, id string) *answer {
	switch {
	case !idForm.MatchString(id):
		return invalid("this can be no id")
	case r.node != nil && r.node.ID() != id && !s.faults[UpdateIDIgnored]:
		return invalid("the body has another id than the URL")
	}
	if a := s.sound(r.node, kind); a != nil {
		return a
	}
	v := s.current(kind, id)
	if a := s.precondition(r, v); a != nil {
		return a
	}
	status := http.StatusOK
	if v == nil || v.node == nil || s.faults[UpdateStatusCreated] {
		status = http.StatusCreated
	}
	n := r.node
	if v != nil && v.node != nil && s.faults[UpdateMerges] {
		n = v.node.Clone()
		for _, p := range r.node.All() {
			n.Set(p.Name(), p.Clone())
		}
	}
	return s.found(status, kind, id, s.store(kind, id, n, http.MethodPut))
}

// precondition looks at If-Match.
func (s *Server) precondition(r *request, v *version) *answer {
	match := r.header.Get("If-Match")
	if match == "" || s.faults[IfMatchIgnored] {
		return nil
	}
	if v == nil || match != etag(v.number) {
		return outcome(http.StatusPreconditionFailed, fhir.TypeConflict, "the version is another")
	}
	return nil
}

func (s *Server) patch(r *request, kind, id string) *answer {
	v := s.current(kind, id)
	switch {
	case v == nil:
		return notFound()
	case v.node == nil:
		return outcome(http.StatusGone, fhir.TypeDeleted, "it has been deleted")
	}
	if a := s.precondition(r, v); a != nil {
		return a
	}
	var n *fhir.Node
	var err error
	switch r.content {
	case "application/json-patch+json":
		if s.faults[PatchTestIgnored] {
			r.node = withoutTests(r.node)
		}
		n, err = patch.ApplyJSON(v.node, r.node, patch.Limits{})
	case "application/xml-patch+xml":
		n, err = patch.ApplyXML(v.node, r.raw, patch.Limits{})
	case typeJSON, typeXML:
		if s.faults[PatchFHIRPathUnsupported] {
			return outcome(http.StatusUnsupportedMediaType, fhir.TypeNotSupported, "this is no kind of patch")
		}
		n, err = patch.ApplyFHIRPath(v.node, r.node, patch.Limits{})
	default:
		return outcome(http.StatusUnsupportedMediaType, fhir.TypeNotSupported, "this is no kind of patch")
	}
	if err != nil {
		return outcome(http.StatusUnprocessableEntity, fhir.TypeProcessing, "the patch cannot be applied")
	}
	if n.ID() != id {
		return invalid("a patch cannot change the id")
	}
	if s.faults[PatchIgnored] {
		n = v.node
	}
	if a := s.sound(n, kind); a != nil {
		return a
	}
	return s.found(http.StatusOK, kind, id, s.store(kind, id, n, http.MethodPatch))
}

// withoutTests is a JSON Patch that changes and asks nothing.
func withoutTests(operations *fhir.Node) *fhir.Node {
	out := fhir.NewArray()
	for _, o := range operations.Items() {
		if o.Get("op").Text() != "test" {
			out.Append(o.Clone())
		}
	}
	return out
}

func (s *Server) delete(kind, id string) *answer {
	v := s.current(kind, id)
	if v == nil || v.node == nil {
		if s.faults[DeleteNotFound] {
			return notFound()
		}
		return &answer{status: http.StatusNoContent}
	}
	v = s.store(kind, id, nil, http.MethodDelete)
	return &answer{status: http.StatusNoContent, version: v}
}

// conditional updates, patches and deletes what a search finds.
func (s *Server) conditional(r *request, kind string) *answer {
	if len(r.query) == 0 {
		return outcome(http.StatusPreconditionFailed, fhir.TypeRequired, "there is no condition")
	}
	ids, wrong := s.matching(kind, r.query.Encode())
	if wrong != nil {
		return wrong
	}
	if r.method == http.MethodDelete && s.faults[ConditionalDeleteMany] {
		ids, _ = s.matching(kind, "")
		for _, id := range ids {
			s.delete(kind, id)
		}
		return &answer{status: http.StatusNoContent}
	}
	switch {
	case len(ids) > 1 && (r.method == http.MethodDelete && s.faults[ConditionalDeleteFirst] ||
		r.method == http.MethodPut && s.faults[ConditionalUpdateFirst]):
		ids = ids[:1]
	case len(ids) > 1:
		return outcome(http.StatusPreconditionFailed, fhir.TypeConflict, "several match")
	}
	if len(ids) == 1 && !(r.method == http.MethodPut && s.faults[ConditionalUpdateNew]) {
		switch r.method {
		case http.MethodDelete:
			return s.delete(kind, ids[0])
		case http.MethodPatch:
			return s.patch(r, kind, ids[0])
		}
		if own := r.node.ID(); own != "" && own != ids[0] {
			return invalid("the body has another id than what matches")
		}
		if r.node.Kind() == fhir.Object {
			r.node = r.node.Clone().SetString("id", ids[0])
		}
		return s.update(r, kind, ids[0])
	}
	switch r.method {
	case http.MethodDelete:
		return &answer{status: http.StatusNoContent}
	case http.MethodPatch:
		return notFound()
	}
	if own := r.node.ID(); own != "" {
		return s.update(r, kind, own)
	}
	if a := s.sound(r.node, kind); a != nil {
		return a
	}
	id := s.newID()
	return s.found(http.StatusCreated, kind, id, s.store(kind, id, r.node, http.MethodPost))
}

// matching returns the ids that a condition finds.
func (s *Server) matching(kind, condition string) ([]string, *answer) {
	condition = strings.TrimPrefix(condition, "?")
	if _, after, found := strings.Cut(condition, "?"); found {
		condition = after
	}
	query, err := url.ParseQuery(condition)
	if err != nil {
		return nil, invalid("the condition cannot be read")
	}
	return s.find(kind, query, false)
}
