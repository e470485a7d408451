package reference

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/conformance/validate"
)

// Prefix is the path of the server's base.
const Prefix = "/fhir"

// MaxBody bounds a request.
const MaxBody = 8 << 20

const (
	typeJSON = "application/fhir+json"
	typeXML  = "application/fhir+xml"
)

// Server is the server; it is an http.Handler. Make one with New.
type Server struct {
	defs      *definitions.Definitions
	validator *validate.Validator
	faults    map[Fault]bool

	mu      sync.Mutex
	stored  map[string]map[string][]version // type → id → versions, oldest first
	next    int                             // of ids
	changes int                             // of versions, over all types
	base    string                          // of the request being answered
}

// version is one state of a resource.
type version struct {
	number int
	node   *fhir.Node // nil for a deletion
	at     time.Time
	change int
	method string
}

// New returns an empty server with these faults.
func New(faults ...Fault) *Server {
	s := &Server{defs: definitions.R4(), faults: map[Fault]bool{}, stored: map[string]map[string][]version{}}
	s.validator = validate.New(s.defs, validate.Options{})
	for _, f := range faults {
		s.faults[f] = true
	}
	return s
}

// Put stores a resource under its own id.
func (s *Server) Put(n *fhir.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store(n.ResourceType(), n.ID(), n, http.MethodPut)
}

// request is one interaction, of a request or an entry of a transaction.
type request struct {
	method  string
	path    []string
	query   url.Values
	header  http.Header
	node    *fhir.Node // of the body
	raw     []byte
	content string
}

// answer is what an interaction ends in.
type answer struct {
	status   int
	node     *fhir.Node
	version  *version // whose ETag and Last-Modified are sent
	location string
	redirect string
}

func outcome(status int, code fhir.IssueType, text string) *answer {
	return &answer{status: status, node: fhir.Outcome("", []fhir.Issue{{Severity: fhir.Error, Code: code, Text: text}})}
}

func notFound() *answer {
	return outcome(http.StatusNotFound, fhir.TypeNotFound, "there is no such thing")
}

func invalid(text string) *answer {
	return outcome(http.StatusBadRequest, fhir.TypeInvalid, text)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	s.base = scheme + "://" + r.Host + Prefix
	rest, below := strings.CutPrefix(r.URL.Path, Prefix)
	req := &request{method: r.Method, query: r.URL.Query(), header: r.Header, content: mediaOf(r.Header.Get("Content-Type"))}
	req.path = slices.DeleteFunc(strings.Split(rest, "/"), func(p string) bool { return p == "" })
	form, accepted := s.form(r)
	var a *answer
	switch {
	case !below:
		a = notFound()
	case !accepted:
		a = outcome(http.StatusNotAcceptable, fhir.TypeNotSupported, "only JSON and XML are spoken")
		form = typeJSON
	default:
		if a = s.readBody(r, req); a == nil {
			a = s.do(req)
		}
	}
	s.write(w, r, a, form)
}

func mediaOf(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// form is the media type to answer in.
func (s *Server) form(r *http.Request) (string, bool) {
	asked := r.Header.Get("Accept")
	if f := r.URL.Query().Get("_format"); f != "" {
		asked = f
	}
	for part := range strings.SplitSeq(asked, ",") {
		switch mediaOf(part) {
		case "", "*/*", "application/*", "json", "application/json", typeJSON:
			return typeJSON, true
		case "xml", "application/xml", "text/xml", typeXML:
			if s.faults[XMLUnsupported] {
				return typeJSON, true
			}
			return typeXML, true
		}
	}
	if s.faults[AcceptIgnored] {
		return typeJSON, true
	}
	return "", false
}

// readBody takes in the body; an answer says what is wrong with it.
func (s *Server) readBody(r *http.Request, req *request) *answer {
	raw, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return invalid("the body cannot be read")
	}
	if len(raw) > MaxBody {
		return outcome(http.StatusRequestEntityTooLarge, fhir.TypeTooLong, "the body is too long")
	}
	req.raw = raw
	if len(raw) == 0 || r.Method == http.MethodGet || r.Method == http.MethodDelete {
		return nil
	}
	if s.faults[ContentTypeIgnored] && !strings.HasSuffix(req.content, "xml") && !strings.HasSuffix(req.content, "urlencoded") &&
		!strings.HasSuffix(req.content, "json") {
		req.content = typeJSON
	}
	switch req.content {
	case typeJSON, "application/json", "application/json-patch+json", "":
		req.node, err = fhir.Parse(slices.Clone(raw), fhir.Limits{})
	case typeXML, "application/xml", "text/xml":
		var issues []fhir.Issue
		req.node, issues, err = fhirxml.Parse(slices.Clone(raw), fhirxml.Options{})
		if err == nil && fhir.HasErrors(issues) {
			return &answer{status: http.StatusBadRequest, node: fhir.Outcome("", issues)}
		}
	case "application/xml-patch+xml":
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(raw))
		if err != nil {
			return invalid("the form cannot be read")
		}
		for name, list := range values {
			req.query[name] = append(req.query[name], list...)
		}
	default:
		return outcome(http.StatusUnsupportedMediaType, fhir.TypeNotSupported, "the content type is not spoken")
	}
	if err != nil {
		return outcome(http.StatusBadRequest, fhir.TypeStructure, "the body cannot be parsed")
	}
	return nil
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a *answer, form string) {
	h := w.Header()
	if a.redirect != "" {
		h.Set("Location", a.redirect)
		w.WriteHeader(a.status)
		return
	}
	if v := a.version; v != nil {
		h.Set("ETag", etag(v.number))
		when := v.at
		if s.faults[LastModifiedWrong] {
			when = when.Add(-61 * time.Minute)
		}
		h.Set("Last-Modified", when.UTC().Format(http.TimeFormat))
	}
	created := a.status == http.StatusCreated
	if created && s.faults[CreateNoETag] || r.Method == http.MethodGet && s.faults[ReadNoETag] {
		h.Del("ETag")
	}
	if a.location != "" && !(created && s.faults[CreateNoLocation]) {
		h.Set("Location", a.location)
	}
	if created && r.Method == http.MethodPost && s.faults[CreateStatusOK] {
		a.status = http.StatusOK
	}
	n := a.node
	if a.version != nil && r.Method != http.MethodGet {
		switch prefer := r.Header.Get("Prefer"); {
		case strings.Contains(prefer, "return=minimal") && !s.faults[PreferIgnored]:
			n = nil
		case strings.Contains(prefer, "return=OperationOutcome"):
			n = fhir.Outcome("", nil)
		}
	}
	if a.status >= 400 && s.faults[OutcomeMissing] {
		n = nil
	}
	if n == nil || a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		w.WriteHeader(a.status)
		return
	}
	body := n.AppendJSON(nil)
	if form == typeXML {
		var issues []fhir.Issue
		if body, issues = fhirxml.Append(nil, n); len(issues) > 0 {
			form, body, a.status = typeJSON, fhir.Outcome("", issues).AppendJSON(nil), http.StatusInternalServerError
		}
	}
	if s.faults[ContentTypePlain] {
		form = strings.Replace(form, "fhir+", "", 1)
	}
	h.Set("Content-Type", form+"; charset=utf-8")
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func etag(number int) string { return `W/"` + strconv.Itoa(number) + `"` }

// do runs one interaction.
func (s *Server) do(r *request) *answer {
	p := r.path
	switch {
	case len(p) == 0 && r.method == http.MethodPost:
		return s.bundle(r)
	case len(p) == 0:
		return invalid("a search needs a type")
	case len(p) == 1 && p[0] == "metadata" && r.method == http.MethodGet:
		if s.faults[RedirectsAway] {
			return &answer{status: http.StatusFound, redirect: "http://elsewhere.invalid/fhir/metadata"}
		}
		return &answer{status: http.StatusOK, node: s.capabilities()}
	case len(p) == 1 && p[0] == "_history" && r.method == http.MethodGet:
		return s.history(r, "", "")
	case !s.defs.IsResource(p[0]):
		if s.faults[UnknownTypeEmpty] && len(p) == 1 && r.method == http.MethodGet {
			return s.search(r, p[0])
		}
		return outcome(http.StatusNotFound, fhir.TypeNotSupported, "there is no such type")
	}
	switch {
	case len(p) == 1:
		switch r.method {
		case http.MethodGet, http.MethodHead:
			return s.search(r, p[0])
		case http.MethodPost:
			return s.create(r, p[0])
		case http.MethodPut, http.MethodPatch, http.MethodDelete:
			return s.conditional(r, p[0])
		}
	case len(p) == 2 && p[1] == "_search" && r.method == http.MethodPost:
		if s.faults[SearchPostUnsupported] {
			return notFound()
		}
		return s.search(r, p[0])
	case len(p) == 2 && p[1] == "_history" && r.method == http.MethodGet:
		return s.history(r, p[0], "")
	case len(p) == 2 && p[1] == "$validate" && r.method == http.MethodPost:
		return s.validate(r)
	case len(p) == 3 && p[0] == "Patient" && p[2] == "$everything" && r.method == http.MethodGet:
		return s.everything(p[1])
	case strings.HasPrefix(p[len(p)-1], "$"):
		return outcome(http.StatusNotFound, fhir.TypeNotSupported, "there is no such operation")
	case len(p) == 2:
		switch r.method {
		case http.MethodGet, http.MethodHead:
			return s.read(r, p[0], p[1])
		case http.MethodPut:
			return s.update(r, p[0], p[1])
		case http.MethodPatch:
			return s.patch(r, p[0], p[1])
		case http.MethodDelete:
			return s.delete(p[0], p[1])
		}
	case len(p) == 3 && p[2] == "_history" && r.method == http.MethodGet:
		return s.history(r, p[0], p[1])
	case len(p) == 4 && p[2] == "_history" && r.method == http.MethodGet:
		return s.vread(p[0], p[1], p[3])
	default:
		return notFound()
	}
	return outcome(http.StatusMethodNotAllowed, fhir.TypeNotSupported, fmt.Sprintf("%s is not done here", r.method))
}

func (s *Server) validate(r *request) *answer {
	n := r.node
	if n.ResourceType() == "Parameters" {
		for _, p := range n.Get("parameter").Items() {
			if p.Get("name").Text() == "resource" {
				n = p.Get("resource")
			}
		}
	}
	if n.ResourceType() == "" {
		return invalid("there is no resource to validate")
	}
	if s.faults[ValidateStores] {
		s.store(n.ResourceType(), s.newID(), n, http.MethodPost)
	}
	if s.faults[ValidateSilent] {
		return &answer{status: http.StatusOK, node: fhir.Outcome("", nil)}
	}
	return &answer{status: http.StatusOK, node: fhir.Outcome("", s.validator.Resource(n))}
}
