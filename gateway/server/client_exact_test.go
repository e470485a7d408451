package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/witness"
)

// identitySystem is that of all identifiers of these tests.
const identitySystem = "https://yilian.dev/test/identity"

// caller asks a gateway over HTTP. It is used by many goroutines.
type caller struct {
	base func() string // the FHIR base of a running gateway, or of one that ran
	http *http.Client
}

func newCaller(t testing.TB, base func() string) *caller {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{base: base, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

// reply is an answer that came whole.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	id      string // of the resource that a write is told to have met
	version int    // of the ETag; 0: none
}

var errNotSent = errors.New("no server took it")

func (c *caller) send(method, address, body string, header ...string) (reply, error) {
	r, err := http.NewRequest(method, c.base()+"/"+address, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := c.http.Do(r)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return reply{}, errNotSent
		}
		return reply{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return reply{}, err
	}
	a := reply{status: got.StatusCode, header: got.Header, body: text}
	if tag, ok := strings.CutPrefix(got.Header.Get("ETag"), `W/"`); ok {
		if a.version, err = strconv.Atoi(strings.TrimSuffix(tag, `"`)); err != nil {
			return reply{}, fmt.Errorf("ETag %s", tag)
		}
	}
	place := got.Header.Get("Location")
	if place == "" {
		place = got.Header.Get("Content-Location")
	}
	if before, _, ok := strings.Cut(place, "/_history/"); ok {
		a.id = path.Base(before)
	}
	return a, nil
}

// content is a resource with a word that tells it from every other that was written.
func content(typ, id, identity, word string) string {
	given := ""
	if id != "" {
		given = `"id":"` + id + `",`
	}
	if identity != "" {
		given += `"identifier":[{"system":"` + identitySystem + `","value":"` + identity + `"}],`
	}
	if typ == "Patient" {
		return `{"resourceType":"Patient",` + given + `"name":[{"text":"` + word + `"}]}`
	}
	return `{"resourceType":"Basic",` + given + `"code":{"text":"` + word + `"}}`
}

// word matches what content wrote.
var word = regexp.MustCompile(`"text":"(w[-.0-9a-z]+)"`)

func wordIn(body []byte) string {
	if m := word.FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return ""
}

// bundle is what these tests read of a Bundle.
type bundle struct {
	Link  []struct{ Relation, URL string }
	Entry []struct {
		Resource json.RawMessage
		Request  struct{ Method, URL string }
		Response struct{ ETag, LastModified string }
	}
}

// member is what these tests read of a resource.
type member struct {
	ResourceType, ID string
	Meta             struct{ VersionID, LastUpdated string }
}

// recorded asks about one part of a history, and writes down what comes of it.
type recorded struct {
	*caller
	history *witness.History
	client  int
	typ     string
	part    string // the value of the identity, or any name of the resource
	known   bool   // part is an identity
	id      string // of the resource
	wrong   func(error)
}

// judge turns a reply into an answer; statuses are those that say something.
func (r recorded) judge(got reply, err error, statuses map[int]witness.Status) witness.Answer {
	switch {
	case errors.Is(err, errNotSent):
		return witness.Answer{Status: witness.Unsent}
	case err != nil:
		return witness.Answer{}
	case got.status >= 500 || got.status == http.StatusTooManyRequests || got.status == http.StatusRequestTimeout:
		return witness.Answer{}
	}
	status, ok := statuses[got.status]
	if !ok {
		r.wrong(fmt.Errorf("%s: answered %d %s", r.part, got.status, got.body))
		return witness.Answer{}
	}
	a := witness.Answer{Status: status, ID: got.id}
	if status == witness.Done || status == witness.Made {
		a.Number, a.Content = got.version, wordIn(got.body)
	}
	return a
}

func (r recorded) ask(q witness.Question, method, address, body string, statuses map[int]witness.Status, header ...string) witness.Answer {
	q.Part = r.part
	answered := r.history.Ask(r.client, q)
	got, err := r.send(method, address, body, header...)
	a := r.judge(got, err, statuses)
	if q.Verb == witness.Read || q.Verb == witness.ReadOld {
		a.ID = r.id
	}
	answered(a)
	return a
}

var (
	reads  = map[int]witness.Status{200: witness.Done, 404: witness.Absent, 410: witness.Gone}
	writes = map[int]witness.Status{200: witness.Done, 201: witness.Made, 204: witness.Done, 412: witness.Refused}
)

func (r recorded) create(text string) witness.Answer {
	return r.ask(witness.Question{Verb: witness.Create, Content: text}, "POST", r.typ, content(r.typ, "", "", text), writes)
}

func (r recorded) read() witness.Answer {
	return r.ask(witness.Question{Verb: witness.Read}, "GET", r.typ+"/"+r.id, "", reads)
}

func (r recorded) readOld(number int) witness.Answer {
	return r.ask(witness.Question{Verb: witness.ReadOld, Number: number}, "GET",
		fmt.Sprintf("%s/%s/_history/%d", r.typ, r.id, number), "", reads)
}

func (r recorded) update(text string, match int) witness.Answer {
	identity := ""
	if r.known {
		identity = r.part
	}
	var header []string
	if match > 0 {
		header = []string{"If-Match", fmt.Sprintf(`W/"%d"`, match)}
	}
	return r.ask(witness.Question{Verb: witness.Update, Content: text, If: match}, "PUT", r.typ+"/"+r.id,
		content(r.typ, r.id, identity, text), writes, header...)
}

func (r recorded) delete() witness.Answer {
	return r.ask(witness.Question{Verb: witness.Delete}, "DELETE", r.typ+"/"+r.id, "", writes)
}

func (r recorded) createIf(text string) witness.Answer {
	return r.ask(witness.Question{Verb: witness.CreateIf, Content: text}, "POST", r.typ, content(r.typ, "", r.part, text), writes,
		"If-None-Exist", "identifier="+identitySystem+"|"+r.part)
}

func (r recorded) updateIf(text string) witness.Answer {
	return r.ask(witness.Question{Verb: witness.UpdateIf, Content: text}, "PUT",
		r.typ+"?identifier="+url.QueryEscape(identitySystem+"|"+r.part), content(r.typ, "", r.part, text), writes)
}

// find searches for the resource of the identity.
func (r recorded) find() witness.Answer {
	answered := r.history.Ask(r.client, witness.Question{Part: r.part, Verb: witness.Find})
	got, err := r.send("GET", r.typ+"?identifier="+url.QueryEscape(identitySystem+"|"+r.part), "")
	a := r.judge(got, err, map[int]witness.Status{200: witness.Done})
	if a.Status == witness.Done {
		var page bundle
		if err := json.Unmarshal(got.body, &page); err != nil {
			r.wrong(err)
		}
		switch len(page.Entry) {
		case 0:
			a = witness.Answer{Status: witness.Absent}
		case 1:
			a.ID, a.Number, a.Content = r.version(page.Entry[0].Resource)
		default:
			a = witness.Answer{Status: witness.Many}
		}
	}
	answered(a)
	return a
}

func (r recorded) version(resource []byte) (id string, number int, text string) {
	var m member
	err := json.Unmarshal(resource, &m)
	if err == nil {
		number, err = strconv.Atoi(m.Meta.VersionID)
	}
	if err != nil {
		r.wrong(fmt.Errorf("%s: %w in %s", r.part, err, resource))
	}
	return m.ID, number, wordIn(resource)
}

// past reads all versions, which must be numbered without a gap.
func (r recorded) past() witness.Answer {
	answered := r.history.Ask(r.client, witness.Question{Part: r.part, Verb: witness.Past})
	got, err := r.send("GET", r.typ+"/"+r.id+"/_history?_count=1000", "")
	a := r.judge(got, err, reads)
	a.ID, a.Content = r.id, ""
	if a.Status == witness.Done {
		var page bundle
		if err := json.Unmarshal(got.body, &page); err != nil {
			r.wrong(err)
		}
		a.All = make([]string, len(page.Entry))
		for i, e := range page.Entry { // newest first
			want := len(page.Entry) - i
			if tag := fmt.Sprintf(`W/"%d"`, want); e.Response.ETag != tag {
				r.wrong(fmt.Errorf("%s: version %s stands in the history where %s belongs", r.part, e.Response.ETag, tag))
			}
			if e.Request.Method == "DELETE" {
				continue
			}
			_, number, text := r.version(e.Resource)
			if number != want {
				r.wrong(fmt.Errorf("%s: version %d stands in the history where %d belongs", r.part, number, want))
			}
			a.All[want-1] = text
		}
	}
	answered(a)
	return a
}
