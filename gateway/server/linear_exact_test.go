package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/internal/witness"
)

// Bounds of one round.
const (
	roundClients = 6
	roundPause   = 2 * time.Millisecond  // between two questions of a client
	roundSorry   = 40 * time.Millisecond // after a question that was not answered
	roundJudged  = 20 * time.Second      // to judge one part of a history
)

// arena is gateways over one store, and what can happen to them.
type arena struct {
	nodes   []*child
	strikes []strike
}

// strike is something that happens while clients are asking; when it returns all runs again.
type strike struct {
	name string
	do   func(testing.TB)
}

func killed(nodes ...*child) func(testing.TB) {
	return func(t testing.TB) {
		for _, n := range nodes {
			n.kill(t)
		}
		for _, n := range nodes {
			n.start(t)
		}
	}
}

// embedded is one gateway over a store of its own.
func embedded(t *testing.T) *arena {
	n := newChild(t, "", "")
	return &arena{nodes: []*child{n}, strikes: []strike{{"the gateway is killed", killed(n)}}}
}

// several is two gateways over one PostgreSQL and one Redis.
func several(t *testing.T) *arena {
	database, cache := testenv.StartPostgres(t), testenv.StartRedis(t)
	a, b := newChild(t, database.URL(), cache.URL()), newChild(t, database.URL(), cache.URL())
	share(t, a, b)
	return &arena{nodes: []*child{a, b}, strikes: []strike{
		{"one gateway is killed", killed(a)},
		{"PostgreSQL is restarted", func(t testing.TB) { database.Stop(t); database.Start(t) }},
		{"Redis is killed", func(t testing.TB) { cache.Kill(t); time.Sleep(50 * time.Millisecond); cache.Start(t) }},
		{"both gateways are killed", killed(a, b)},
		{"PostgreSQL is killed", func(t testing.TB) { database.Kill(t); database.Start(t) }},
		{"the other gateway is killed with Redis", func(t testing.TB) { cache.Kill(t); killed(b)(t); cache.Start(t) }},
	}}
}

// share waits until versions are found in the cache of both gateways, so that there is
// something to lose.
func share(t *testing.T, a, b *child) {
	t.Helper()
	first, second := newCaller(t, a.base), newCaller(t, b.base)
	outside := newCaller(t, func() string { return strings.TrimSuffix(b.base(), "/fhir") })
	made, err := first.send("POST", "Basic", content("Basic", "", "", "w-shared"))
	if err != nil || made.status != http.StatusCreated {
		t.Fatalf("a create: %d %s, %v", made.status, made.body, err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		for _, c := range []*caller{first, second} {
			if got, err := c.send("GET", "Basic/"+made.id+"/_history/1", ""); err != nil || got.status != http.StatusOK {
				t.Fatalf("a version: %d %s, %v", got.status, got.body, err)
			}
		}
		figures, err := outside.send("GET", "metrics", "")
		if err != nil || figures.status != http.StatusOK {
			t.Fatalf("the metrics: %d, %v", figures.status, err)
		}
		for line := range strings.Lines(string(figures.body)) {
			if n, ok := strings.CutPrefix(line, `yilian_version_cache_total{result="found"} `); ok && strings.TrimSpace(n) != "0" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the gateways keep no versions in Redis")
		}
	}
}

// subject is a resource, or an identity, that a round is about.
type subject struct {
	typ, name string
	identity  bool
	id        atomic.Value // string; "" until an answer named it
}

// round has clients ask about new subjects while something happens, and judges what they were answered.
func (a *arena) round(t *testing.T, number int) {
	t.Helper()
	happens := a.strikes[number%len(a.strikes)]
	random := rand.New(rand.NewPCG(uint64(number), 1))
	var mu sync.Mutex
	var wrong []error
	report := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, err)
	}
	resources, identities := witness.NewHistory(), witness.NewHistory()
	callers := make([]*caller, len(a.nodes))
	for i, n := range a.nodes {
		callers[i] = newCaller(t, n.base)
	}
	asking := func(client, node int, s *subject) recorded {
		r := recorded{caller: callers[node], history: resources, client: client, typ: s.typ, part: s.name, known: s.identity, wrong: report}
		if s.identity {
			r.history = identities
		}
		r.id, _ = s.id.Load().(string)
		return r
	}
	var subjects []*subject
	for i, typ := range []string{"Patient", "Basic", "Patient", "Basic"} {
		s := &subject{typ: typ, name: fmt.Sprintf("r%d.%d", number, i), identity: i < 2}
		subjects = append(subjects, s)
		if s.identity {
			continue
		}
		made := asking(0, 0, s).create(fmt.Sprintf("w%d.first.%d", number, i))
		if made.Status != witness.Made || made.ID == "" {
			t.Fatalf("round %d: a gateway that runs answered a create with %v", number, made.Status)
		}
		s.id.Store(made.ID)
	}

	end := make(chan struct{})
	var clients sync.WaitGroup
	finish := sync.OnceFunc(func() { close(end); clients.Wait() })
	defer finish()
	for client := 1; client <= roundClients; client++ {
		random := rand.New(rand.NewPCG(uint64(number), uint64(client)+1))
		clients.Go(func() {
			seen := map[string]int{} // version that the client knows of a subject
			for n := 0; ; n++ {
				s := subjects[random.IntN(len(subjects))]
				r := asking(client, random.IntN(len(callers)), s)
				got := step(r, random, fmt.Sprintf("w%d.%d.%d", number, client, n), seen[s.name])
				if got.Number > 0 {
					seen[s.name] = got.Number
				}
				if s.identity && got.ID != "" {
					s.id.Store(got.ID)
				}
				pause := roundPause
				if got.Status == witness.Open || got.Status == witness.Unsent {
					pause = roundSorry
				}
				select {
				case <-end:
					return
				case <-time.After(pause):
				}
			}
		})
	}
	time.Sleep(time.Duration(50+random.IntN(200)) * time.Millisecond)
	happens.do(t)
	time.Sleep(time.Duration(50+random.IntN(200)) * time.Millisecond)
	finish()

	for node := range callers {
		for _, s := range subjects {
			lastWords(asking(0, node, s), s)
		}
	}
	for _, err := range wrong {
		t.Errorf("round %d, %s: %v", number, happens.name, err)
	}
	for _, err := range []error{
		witness.Check(witness.Versions(), resources.Operations(), roundJudged),
		witness.Check(witness.Register(), identities.Operations(), roundJudged),
	} {
		if err != nil {
			t.Errorf("round %d, %s: %v", number, happens.name, err)
		}
	}
	answered, open := tally(append(resources.Operations(), identities.Operations()...))
	t.Logf("round %d, %s: %d questions answered, %d writes open", number, happens.name, answered, open)
	if answered < roundClients {
		t.Errorf("round %d, %s: hardly anything was asked", number, happens.name)
	}
}

// step asks one question of those that a subject allows. It writes text, if it writes.
func step(r recorded, random *rand.Rand, text string, seen int) witness.Answer {
	n := random.IntN(12)
	switch {
	case r.known && n < 2 || r.known && r.id == "" && n < 5:
		return r.createIf(text)
	case r.known && n < 4 || r.known && r.id == "" && n < 9:
		return r.updateIf(text)
	case r.known && n < 7 || r.id == "":
		return r.find()
	case n < 3 || r.known && n < 10:
		return r.read()
	case n < 5:
		return r.update(text, 0)
	case n < 8 || r.known:
		return r.update(text, seen)
	case n < 9:
		return r.delete()
	case n < 10 && seen > 0:
		return r.readOld(1 + random.IntN(seen+1))
	}
	return r.past()
}

// lastWords asks what there is in the end, so that everything which happened is shown.
func lastWords(r recorded, s *subject) {
	if s.identity {
		if got := r.find(); got.Status == witness.Done {
			r.id = got.ID
		}
	}
	if r.id == "" {
		return
	}
	r.read()
	r.past()
}

// tally counts the operations that were answered, and the writes of which nobody knows whether they happened.
func tally(list []witness.Operation) (answered, open int) {
	for _, o := range list {
		switch {
		case o.Answer.Status == witness.Unsent:
		case o.Answer.Status != witness.Open:
			answered++
		case o.Question.Content != "" || o.Question.Verb == witness.Delete:
			open++
		}
	}
	return answered, open
}

// Rounds of a run of the tests; one in three is about the embedded store.
const (
	exactRounds     = 30
	exactRoundsSoak = 1000
	// exactRoundsCount is where the environment says how many rounds the soak test has.
	exactRoundsCount = "YILIAN_ROUNDS"
)

func rounds(t *testing.T, count int) {
	t.Run("one gateway on SQLite", func(t *testing.T) {
		a := embedded(t)
		for n := 0; n < count/3 && !t.Failed(); n++ {
			a.round(t, n)
		}
	})
	t.Run("two gateways on PostgreSQL and Redis", func(t *testing.T) {
		a := several(t)
		for n := count / 3; n < count && !t.Failed(); n++ {
			a.round(t, n)
		}
	})
}

func TestOneServerCouldHaveAnsweredSoThroughDeaths(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts and kills processes")
	}
	rounds(t, exactRounds)
}

func TestSoakOneServerCouldHaveAnsweredSoThroughDeaths(t *testing.T) {
	testenv.Soak(t)
	count := exactRoundsSoak
	if text := os.Getenv(exactRoundsCount); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 3 {
			t.Fatalf("%s=%s is no number of rounds", exactRoundsCount, text)
		}
		count = n
	}
	rounds(t, count)
}

// lying is a way to a gateway that answers for it.
type lying struct {
	honest http.RoundTripper
	lie    func(r *http.Request, honest http.RoundTripper) (*http.Response, error)
}

func (l lying) RoundTrip(r *http.Request) (*http.Response, error) { return l.lie(r, l.honest) }

func TestTheJudgeOfAnswersSeesAServerThatLies(t *testing.T) {
	g := start(t, false, nil)
	for _, tt := range []struct {
		name string
		lie  func(t *testing.T) func(*http.Request, http.RoundTripper) (*http.Response, error)
		want string // the model that sees it; "": nothing is wrong
	}{
		{"the truth", func(*testing.T) func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return func(r *http.Request, honest http.RoundTripper) (*http.Response, error) { return honest.RoundTrip(r) }
		}, ""},
		{"a read is answered from before", func(t *testing.T) func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return stale(t, func(r *http.Request) bool {
				return r.Method == "GET" && !strings.Contains(r.URL.Path, "_history") && r.URL.RawQuery == ""
			})
		}, "versions"},
		{"a search is answered from before", func(t *testing.T) func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return stale(t, func(r *http.Request) bool { return r.Method == "GET" && strings.Contains(r.URL.RawQuery, "identifier") })
		}, "register"},
		{"a commit is lost", func(t *testing.T) func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return lost(func(r *http.Request) bool { return r.Method == "PUT" && r.URL.RawQuery == "" })
		}, "versions"},
		{"a conditional commit is lost", func(t *testing.T) func(*http.Request, http.RoundTripper) (*http.Response, error) {
			return lost(func(r *http.Request) bool { return r.Method == "PUT" && r.URL.RawQuery != "" })
		}, "register"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCaller(t, func() string { return "http://" + g.address + "/fhir" })
			c.http.Transport = lying{c.http.Transport, tt.lie(t)}
			wrong := func(err error) { t.Error(err) }
			name := strings.ReplaceAll(tt.name, " ", "-")
			resource := recorded{caller: c, history: witness.NewHistory(), typ: "Basic", part: "one", wrong: wrong}
			made := resource.create("w1")
			resource.id = made.ID
			resource.read()
			resource.update("w2", 1)
			resource.read()
			resource.past()
			identity := recorded{caller: c, history: witness.NewHistory(), typ: "Basic", part: name, known: true, wrong: wrong}
			identity.id = identity.updateIf("w3").ID
			identity.find()
			identity.updateIf("w4")
			identity.find()
			identity.past()

			found := ""
			for model, err := range map[string]error{
				"versions": witness.Check(witness.Versions(), resource.history.Operations(), roundJudged),
				"register": witness.Check(witness.Register(), identity.history.Operations(), roundJudged),
			} {
				var violation *witness.Violation
				switch {
				case errors.As(err, &violation):
					found += model
				case err != nil:
					t.Error(err)
				}
			}
			if found != tt.want {
				t.Errorf("seen by %q, want by %q", found, tt.want)
			}
		})
	}
}

// stale gives the first answer to a question again and again.
func stale(t *testing.T, of func(*http.Request) bool) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	type kept struct {
		header http.Header
		body   []byte
	}
	first := map[string]kept{}
	return func(r *http.Request, honest http.RoundTripper) (*http.Response, error) {
		got, err := honest.RoundTrip(r)
		if err != nil || !of(r) || got.StatusCode != http.StatusOK {
			return got, err
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			t.Error(err)
		}
		got.Body.Close()
		address := r.URL.String()
		if _, again := first[address]; !again {
			first[address] = kept{got.Header, body}
		}
		got.Header, got.Body = first[address].header, io.NopCloser(bytes.NewReader(first[address].body))
		return got, nil
	}
}

// lost takes a change of what is there as done, and does not tell the gateway.
func lost(of func(*http.Request) bool) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	changed := map[string]bool{}
	return func(r *http.Request, honest http.RoundTripper) (*http.Response, error) {
		address := r.URL.String()
		if !of(r) || r.URL.RawQuery != "" && !changed[address] { // the first of a condition makes the resource
			changed[address] = true
			return honest.RoundTrip(r)
		}
		r.Body.Close()
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Etag": {`W/"2"`}}, Body: http.NoBody, Request: r,
		}, nil
	}
}
