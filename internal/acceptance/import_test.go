package acceptance_test

import (
	"bytes"
	"cmp"
	"compress/bzip2"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	difference "github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/internal/scan"
	"github.com/yilian/yilian/internal/testenv"
)

// sent is one Bundle of the corpus.
type sent struct {
	name  string
	text  []byte
	Type  string
	Entry []struct {
		FullURL  string
		Resource json.RawMessage
		Request  struct{ Method, URL, IfNoneExist string }
	}
}

// sets returns Bundles of the corpus in the order in which they may be sent, each part whole before the next: what others
// refer to by criteria; those others; and what stands alone, but has some of the same identifiers, so that it must not
// be there before. few bounds how many patients there are of each set, the smallest ones; 0: all.
func sets(t testing.TB, few [2]int) (parts [3][]*sent) {
	t.Helper()
	folders := []string{"smart-sample-r4-2019", "blaze-2021"}
	for i, folder := range folders {
		paths, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "synthea", folder), "*.json.*"))
		if err != nil || len(paths) < 40 {
			t.Fatalf("%d Bundles of %s, %v", len(paths), folder, err)
		}
		slices.SortFunc(paths, func(a, b string) int { return cmp.Or(cmp.Compare(size(t, a), size(t, b)), cmp.Compare(a, b)) })
		patients := 0
		for _, path := range paths {
			name := filepath.Base(path)
			part := 2
			switch {
			case strings.HasPrefix(name, "0-"):
				part = 0
			case strings.Contains(name, "Information"):
			default:
				if folder == "blaze-2021" {
					part = 1
				}
				if patients++; few[i] > 0 && patients > few[i] {
					continue
				}
			}
			parts[part] = append(parts[part], unpack(t, path))
		}
	}
	slices.SortFunc(parts[0], func(a, b *sent) int { return cmp.Compare(a.name, b.name) })
	return parts
}

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func unpack(t testing.TB, path string) *sent {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bzip2.NewReader(bytes.NewReader(packed))
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(bytes.NewReader(packed)); err != nil {
			t.Fatal(err)
		}
	}
	out := &sent{name: filepath.Base(path)}
	if out.text, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// clients is how many Bundles are on their way at a time.
const clients = 4

// load sends parts of Bundles and returns the world that must then be stored.
func load(t *testing.T, c *client, parts [3][]*sent) *scan.World {
	t.Helper()
	w := &scan.World{Base: c.base, Zone: time.FixedZone("", 8*3600)}
	began := time.Now()
	bundles, resources := 0, 0
	for i, part := range parts {
		workers := clients
		if i == 0 {
			workers = 1 // whether a resource is there before is known only of what came before
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		var made []*scan.Resource // others read the world until the part is whole
		work := make(chan *sent)
		for range workers {
			wg.Go(func() {
				for b := range work {
					list, err := c.post(t, w, b)
					if err != nil {
						t.Errorf("%s: %v", b.name, err)
					}
					mu.Lock()
					if workers == 1 {
						w.Add(list...)
					} else {
						made = append(made, list...)
					}
					bundles++
					resources += len(list)
					mu.Unlock()
				}
			})
		}
		for _, b := range part {
			work <- b
		}
		close(work)
		wg.Wait()
		w.Add(made...)
		if t.Failed() {
			t.FailNow()
		}
	}
	took := time.Since(began)
	t.Logf("%d Bundles, %d resources in %v: %.0f a second", bundles, resources, took.Round(time.Millisecond), float64(resources)/took.Seconds())
	return w
}

var location = regexp.MustCompile(`^(?:http://[^/]+/fhir/)?([A-Za-z]+)/([A-Za-z0-9.-]{1,64})/_history/(\d+)$`)

// post sends a Bundle, checks the answer to every entry, and returns what was created, as it must be read from now on.
func (c *client) post(t *testing.T, w *scan.World, b *sent) ([]*scan.Resource, error) {
	got := c.ask(t, "POST", "", "application/fhir+json", b.text)
	var answer bundle
	if err := json.Unmarshal(got.body, &answer); err != nil || got.status != 200 || len(answer.Entry) != len(b.Entry) {
		return nil, fmt.Errorf("%d with %d entries for %d: %.600s", got.status, len(answer.Entry), len(b.Entry), got.body)
	}
	var out []*scan.Resource
	keys := map[string]string{}
	for i, e := range b.Entry {
		body, err := scan.Parse(e.Resource)
		if err != nil {
			return nil, err
		}
		typ, _ := body["resourceType"].(string)
		response := answer.Entry[i].Response
		at := location.FindStringSubmatch(response.Location)
		updated, err := time.Parse(time.RFC3339, response.LastModified)
		status := "201"
		if e.Request.IfNoneExist != "" {
			there, err := w.Find(typ, e.Request.IfNoneExist)
			if err != nil {
				return nil, err
			}
			if len(there) > 0 {
				status = "200"
			}
		}
		if !strings.HasPrefix(response.Status, status) || at == nil || at[1] != typ || at[3] != "1" || response.ETag != `W/"1"` || err != nil || time.Since(updated).Abs() > time.Hour {
			return nil, fmt.Errorf("entry %d, a %s: %+v", i, typ, response)
		}
		key := at[1] + "/" + at[2]
		keys[e.FullURL] = key
		if status == "200" {
			if w.Read(key) == nil {
				return nil, fmt.Errorf("entry %d is said to be %s, which is none", i, key)
			}
			continue
		}
		body["id"] = at[2]
		meta, _ := body["meta"].(map[string]any)
		if meta == nil {
			meta = map[string]any{}
			body["meta"] = meta
		}
		meta["lastUpdated"] = response.LastModified
		out = append(out, &scan.Resource{Type: typ, ID: at[2], Body: body})
	}
	for _, r := range out {
		if err := link(w, keys, r.Body); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// link puts the keys that the server gave in the place of references within a Bundle, and of those by criteria.
func link(w *scan.World, keys map[string]string, v any) error {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := link(w, keys, item); err != nil {
				return err
			}
		}
	case map[string]any:
		if text, ok := v["reference"].(string); ok {
			typ, query, criterion := strings.Cut(text, "?")
			switch {
			case keys[text] != "":
				v["reference"] = keys[text]
			case criterion:
				name, value, _ := strings.Cut(query, "=")
				meant, err := w.Find(typ, name+"="+url.QueryEscape(value))
				if err != nil || len(meant) != 1 {
					return fmt.Errorf("a reference means %d resources: %w", len(meant), err)
				}
				v["reference"] = meant[0].Key()
			case strings.HasPrefix(text, "urn:"):
				return fmt.Errorf("a reference out of its Bundle")
			}
		}
		for _, item := range v {
			if err := link(w, keys, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// readsBack reads every resource of every type, and compares each with what was sent.
func readsBack(t *testing.T, c *client, w *scan.World) {
	t.Helper()
	faulty := 0
	for _, typ := range w.Types() {
		pages, wrong := c.pages(t, typ+"?_count=500&_total=accurate", func(text json.RawMessage) {
			got, err := scan.Parse(text)
			if err != nil {
				t.Error(err)
				return
			}
			want := w.Read(typ + "/" + fmt.Sprint(got["id"]))
			if want == nil {
				return // which are there is compared below
			}
			if a, b := asSent(want.Body), asSent(got); !reflect.DeepEqual(a, b) && faulty < 5 {
				faulty++
				t.Errorf("%s is not as it was sent (-sent +read)\n%s", typ, difference.Diff(a, b))
			}
		})
		if wrong != "" {
			t.Fatalf("%s: %s", typ, wrong)
		}
		if err := w.Check(typ, "_count=500&_total=accurate", pages); err != nil {
			t.Errorf("all of %s: %v", typ, err)
		}
	}
}

// institutionTag is the system of the tag by which a server tells whose a resource is.
const institutionTag = "https://yilian.dev/fhir/institution"

// asSent returns a resource without what belongs to the server.
func asSent(body map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range body {
		if k != "meta" {
			out[k] = v
			continue
		}
		meta := map[string]any{}
		for k, v := range v.(map[string]any) {
			switch k {
			case "versionId", "lastUpdated", "source":
			case "tag":
				tags := slices.DeleteFunc(slices.Clone(v.([]any)), func(tag any) bool { return tag.(map[string]any)["system"] == institutionTag })
				if len(tags) > 0 {
					meta[k] = tags
				}
			default:
				meta[k] = v
			}
		}
		if len(meta) > 0 {
			out[k] = meta
		}
	}
	return out
}
