package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// bundle answers POST [base] with a batch or a transaction.
func (h *Handler) bundle(r *request) error {
	content, err := h.resource(r)
	if err != nil {
		return err
	}
	kind, entries, err := h.Engine.Entries(content)
	if err != nil {
		return err
	}
	if kind == interaction.BatchBundle {
		return h.batch(r, entries)
	}
	return h.transaction(r, entries)
}

// transaction answers a transaction: all entries, or one error that names what was
// in the way.
func (h *Handler) transaction(r *request, entries []interaction.Entry) error {
	replies, err := h.Engine.Transaction(r.ctx, r.viewer, entries, func(ctx context.Context, x interaction.Entry) (interaction.Answer, error) {
		return h.readEntry(ctx, r, x)
	})
	if err != nil {
		return notCreated(err)
	}
	prefer := r.prefer()
	r.applied("return", prefer)
	b := newBundle("transaction-response", -1, nil, 256*len(replies))
	for _, reply := range replies {
		if a := reply.Read; a != nil {
			b.add("", store.Version{Body: a.Body}, responseTail(a.Status, "", a.ETag, a.LastModified, nil))
			continue
		}
		w := reply.Written
		var shown store.Version
		var said []fhir.Issue
		status := statusOf(w)
		if reply.Method == http.MethodDelete {
			status = http.StatusNoContent
		}
		location, tag, modified := "", "", ""
		if w.Number > 0 {
			tag, modified = etag(w.Number), w.Updated.UTC().Format(interaction.Instant)
		}
		if status != http.StatusNoContent {
			location = w.Key.String() + "/_history/" + strconv.FormatInt(w.Number, 10)
			if prefer == returnRepresentation {
				shown = w.Version
			}
		}
		if prefer == returnOutcome {
			said = remarks(w)
		}
		b.add("", shown, responseTail(status, location, tag, modified, said))
	}
	return r.write(http.StatusOK, b.bytes())
}

// responseTail is the response of an entry.
func responseTail(status int, location, tag, modified string, said []fhir.Issue) string {
	out := append(make([]byte, 0, 256), `"response":{"status":"`...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(append(append(out, ' '), http.StatusText(status)...), '"')
	for _, p := range [...][2]string{{`,"location":`, location}, {`,"etag":`, tag}, {`,"lastModified":`, modified}} {
		if p[1] != "" {
			out = fhir.AppendString(append(out, p[0]...), p[1])
		}
	}
	if len(said) > 0 {
		out = fhir.Outcome("", said).AppendJSON(append(out, `,"outcome":`...))
	}
	return string(append(out, '}'))
}

// readEntry answers a GET or HEAD of a transaction, whose failure is that of all.
func (h *Handler) readEntry(ctx context.Context, r *request, x interaction.Entry) (interaction.Answer, error) {
	got, err := h.ask(ctx, r, x)
	if err != nil {
		return interaction.Answer{}, err
	}
	if got.status >= http.StatusBadRequest {
		return interaction.Answer{}, got.err()
	}
	a := interaction.Answer{Status: got.status, ETag: got.header.Get("ETag"), LastModified: got.modified()}
	if got.out.Len() > 0 {
		a.Body = got.out.Bytes()
	}
	return a, nil
}

// batchWorkers is how many entries of a batch are worked on at once.
const batchWorkers = 8

// batchOrder is the order in which the methods of a batch are carried out; entries of
// one step about different resources do not wait for each other.
var batchOrder = [][]string{{"DELETE"}, {"POST"}, {"PUT", "PATCH"}, {"GET", "HEAD"}}

// batch answers a batch: each entry on its own.
func (h *Handler) batch(r *request, entries []interaction.Entry) error {
	answers := make([]*answered, len(entries))
	for _, methods := range batchOrder {
		group, ctx := errgroup.WithContext(r.ctx)
		group.SetLimit(batchWorkers)
		for _, chain := range chains(entries, methods) {
			group.Go(func() (err error) {
				for _, i := range chain {
					if answers[i], err = h.ask(ctx, r, entries[i]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	r.applied("return", r.prefer())
	b := newBundle("batch-response", -1, nil, 256*len(entries))
	for i, got := range answers {
		if got == nil { // the validator lets no other method through
			return fault.New(fault.Invalid, entries[i].Place+": a method that a request cannot have")
		}
		location := strings.TrimPrefix(got.header.Get("Location"), h.base()+"/")
		if location == "" {
			location = strings.TrimPrefix(got.header.Get("Content-Location"), h.base()+"/")
		}
		tail := fhir.NewObject().SetString("status", strconv.Itoa(got.status)+" "+http.StatusText(got.status))
		for _, p := range [][2]string{{"location", location}, {"etag", got.header.Get("ETag")}, {"lastModified", got.modified()}} {
			if p[1] != "" {
				tail.SetString(p[0], p[1])
			}
		}
		var shown store.Version
		if got.out.Len() > 0 {
			body, err := fhir.Parse(got.out.Bytes(), fhir.Limits{Bytes: 1 << 30, Nodes: 1 << 30})
			switch {
			case err != nil:
				return err
			case body.ResourceType() == "OperationOutcome" && (got.status >= http.StatusBadRequest || entries[i].Method != http.MethodGet):
				tail.Set("outcome", body)
			default:
				shown.Body = body.AppendJSON(nil)
			}
		}
		b.add("", shown, `"response":`+string(tail.AppendJSON(nil)))
	}
	return r.write(http.StatusOK, b.bytes())
}

// chains returns the entries of a step of a batch, by their places: those that mean the
// same resource in one list, in their order, so that what they come to is no matter of
// chance.
func chains(entries []interaction.Entry, methods []string) [][]int {
	var out [][]int
	same := map[string]int{}
	for i, x := range entries {
		if !slices.Contains(methods, x.Method) {
			continue
		}
		key := x.URL
		switch x.Method {
		case http.MethodGet, http.MethodHead:
			key = ""
		case http.MethodPost:
			if key += "?" + x.IfNoneExist; x.IfNoneExist == "" {
				key = ""
			}
		}
		if at, known := same[key]; known && key != "" {
			out[at] = append(out[at], i)
			continue
		}
		same[key] = len(out)
		out = append(out, []int{i})
	}
	return out
}

type viewerKey struct{}

// who returns who asks: the client, or for an entry of a Bundle who sent that.
func (h *Handler) who(r *http.Request) (interaction.Viewer, error) {
	if v, ok := r.Context().Value(viewerKey{}).(interaction.Viewer); ok {
		return v, nil
	}
	return h.Auth.Viewer(r)
}

// ask answers an entry as the request that it is.
func (h *Handler) ask(ctx context.Context, r *request, x interaction.Entry) (*answered, error) {
	path, query, _ := strings.Cut(x.URL, "?")
	path, err := url.PathUnescape(path)
	got := &answered{header: http.Header{}}
	if err != nil || path == "" {
		got.refuse("the url of the request cannot be read")
		return got, nil
	}
	body, media, ok := entryBody(x)
	if !ok {
		got.refuse("the data of the Binary is not base64")
		return got, nil
	}
	request, err := http.NewRequestWithContext(context.WithValue(ctx, viewerKey{}, r.viewer), x.Method, "", bytes.NewReader(body))
	if err != nil {
		got.refuse("the method is none that a request can have")
		return got, nil
	}
	request.URL = &url.URL{Path: h.Path + "/" + path, RawQuery: plain(query)}
	header := request.Header
	header.Set("Accept", MediaType)
	if len(body) > 0 {
		header.Set("Content-Type", media)
	}
	for name, value := range map[string]string{
		"If-None-Match": x.IfNoneMatch, "If-Match": x.IfMatch, "If-None-Exist": x.IfNoneExist, "If-Modified-Since": httpTime(x.IfModifiedSince),
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
	header.Set("Prefer", "return="+returnMinimal)
	if prefer := r.prefer(); prefer != "" {
		header.Set("Prefer", "return="+prefer)
	}
	for _, name := range []string{"Accept-Language", "Prefer"} {
		for _, value := range r.Request().Header.Values(name) {
			header.Add(name, value)
		}
	}
	h.entries.ServeHTTP(got, request)
	if x.Method == http.MethodHead {
		got.out.Reset()
	}
	return got, ctx.Err()
}

// entryBody is what an entry sends: a resource, or a patch that a Binary holds.
func entryBody(x interaction.Entry) (body []byte, media string, ok bool) {
	if x.Resource == nil {
		return nil, "", true
	}
	if x.Method != http.MethodPatch || x.Resource.ResourceType() != binaryType {
		return x.Resource.AppendJSON(nil), MediaType, true
	}
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(x.Resource.Get("data").Text()), ""))
	return body, x.Resource.Get("contentType").Text(), err == nil
}

// plain takes out of a query what asks for another form than the Bundle's.
func plain(query string) string {
	parts := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool {
		return strings.HasPrefix(p, "_format=") || strings.HasPrefix(p, "_pretty=")
	})
	return strings.Join(parts, "&")
}

// httpTime writes an instant as HTTP has it, "" for none.
func httpTime(instant string) string {
	t, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		return instant
	}
	return t.UTC().Format(http.TimeFormat)
}

// answered keeps the answer to an entry.
type answered struct {
	header http.Header
	status int
	out    bytes.Buffer
}

func (a *answered) Header() http.Header { return a.header }

func (a *answered) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answered) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.out.Write(p)
}

func (a *answered) refuse(text string) {
	a.WriteHeader(http.StatusBadRequest)
	a.out.Write(fhir.Outcome("", []fhir.Issue{{Severity: fhir.Error, Code: fhir.TypeInvalid, Text: text}}).AppendJSON(nil))
}

// modified is Last-Modified as an instant, "" when there is none.
func (a *answered) modified() string {
	t, err := http.ParseTime(a.header.Get("Last-Modified"))
	if err != nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// err is the error that an answer tells.
func (a *answered) err() error {
	kind := fault.Invalid
	for _, k := range fault.Kinds() {
		if k.HTTPStatus() == a.status {
			kind = k
		}
	}
	said := fault.New(kind, "an entry could not be answered")
	tree, err := fhir.Parse(a.out.Bytes(), fhir.Limits{})
	if err != nil {
		return errors.Join(said, err)
	}
	var issues []fhir.Issue
	for _, n := range tree.Get("issue").Items() {
		issues = append(issues, fhir.Issue{
			Severity: fhir.Severity(n.Get("severity").Text()), Code: fhir.IssueType(n.Get("code").Text()), Text: n.Path("details", "text").Text(),
		})
	}
	return &httpError{status: a.status, error: &interaction.Refused{Fault: said, Issues: issues}}
}
