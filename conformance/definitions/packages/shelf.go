package packages

import (
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/fhir"
)

// DefaultParsed is how many bytes of JSON a shelf keeps trees of. A tree takes about five times as much.
const DefaultParsed = 8 << 20

// shelf keeps parsed definitions, up to a number of bytes of their JSON. When it is full it is emptied: what is in use
// is soon back, and nobody has to keep account of it.
type shelf struct {
	limit int

	mu    *sync.RWMutex
	trees map[string]*fhir.Node
	used  int
}

func newShelf(limit int) shelf {
	if limit <= 0 {
		limit = DefaultParsed
	}
	return shelf{limit: limit, mu: &sync.RWMutex{}, trees: map[string]*fhir.Node{}}
}

// get returns the tree under a key, else what load gives and fits allows, parsed.
func (s *shelf) get(key string, limits Limits, load func() ([]byte, bool), fits func(*fhir.Node) bool) (*fhir.Node, bool) {
	s.mu.RLock()
	n := s.trees[key]
	s.mu.RUnlock()
	if n != nil {
		return n, true
	}
	text, ok := load()
	if !ok {
		return nil, false
	}
	size := len(text)
	n, err := fhir.Parse(text, fhir.Limits{Bytes: limits.File, Nodes: limits.Nodes})
	if err != nil || !fits(n) {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.trees[key]; have != nil {
		return have, true
	}
	if s.used+size > s.limit {
		clear(s.trees)
		s.used = 0
	}
	if size <= s.limit {
		s.trees[key] = n
		s.used += size
	}
	return n, true
}

// matches reports whether a definition has the version that a canonical URL asks for, if it asks for one.
func matches(n *fhir.Node, url string) bool {
	if n.Get("url").Text() == url {
		return true // some code systems have a | in their URL
	}
	_, version, ok := strings.Cut(url, "|")
	return !ok || n.Get("version").Text() == version
}
