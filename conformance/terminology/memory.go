package terminology

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"unsafe"
)

// Memory is a code system held in memory. Its texts are parts of two strings and concepts are ordinals into arrays, so
// that a concept costs its text and a few numbers. It is immutable; make it with Read, ReadCSV or a Builder.
type Memory struct {
	about Description
	text  string   // codes and displays
	ends  []uint32 // two for each concept: where its code and its display end in text
	flags []uint8

	seed  maphash.Seed
	index []uint32 // open addressing: ordinal+1 by hash of the code

	parents, children links // without edges if the system is flat

	detailEnds []uint32 // where the details of each concept end; nil if none has any
	details    []detail
	keys       []detailKey
	notes      string // what details say

	search func() *searchText // made when it is first asked for
}

const (
	flagAbstract = 1 << iota
	flagInactive
)

// links are edges between concepts: those of i are to[starts[i]:starts[i+1]].
type links struct {
	starts []uint32
	to     []uint32
}

func (l links) of(i int) []uint32 {
	if l.starts == nil {
		return nil
	}
	return l.to[l.starts[i]:l.starts[i+1]]
}

// detail is a definition, designation or property: what it is, and where its value stands in notes.
type detail struct {
	key        uint32
	start, end uint32
}

type detailKind uint8

const (
	detailDefinition detailKind = iota
	detailDesignation
	detailProperty
)

type detailKey struct {
	kind detailKind
	code string // of the property, or language of the designation
	typ  string // of the property
	use  Coding
}

// Describe tells what the code system is.
func (m *Memory) Describe() *Description { return &m.about }

// Size is how many bytes the code system takes up, without what text search adds when it is first used.
func (m *Memory) Size() int {
	return len(m.text) + len(m.notes) + 4*(len(m.ends)+len(m.index)+len(m.detailEnds)) + len(m.flags) +
		4*(len(m.parents.starts)+len(m.parents.to)+len(m.children.starts)+len(m.children.to)) +
		len(m.details)*int(unsafe.Sizeof(detail{})) + len(m.keys)*int(unsafe.Sizeof(detailKey{})) + int(unsafe.Sizeof(*m))
}

// most is how many bytes it may come to take up.
func (m *Memory) most() int { return m.Size() + len(m.text) + len(m.notes) + 4*len(m.flags) }

func (m *Memory) len() int { return len(m.flags) }

func (m *Memory) code(i int) string {
	from := uint32(0)
	if i > 0 {
		from = m.ends[2*i-1]
	}
	return m.text[from:m.ends[2*i]]
}

func (m *Memory) display(i int) string { return m.text[m.ends[2*i]:m.ends[2*i+1]] }

// find returns the ordinal of a code, -1 if there is none.
func (m *Memory) find(code string) int {
	slot, ok := m.slot(code)
	if !ok {
		return -1
	}
	return int(m.index[slot]) - 1
}

// slot returns where a code stands in the index, or where it would have to.
func (m *Memory) slot(code string) (slot int, found bool) {
	if len(m.index) == 0 {
		return 0, false
	}
	key := code
	if !m.about.CaseSensitive {
		key = strings.ToLower(code)
	}
	mask := len(m.index) - 1
	for slot = int(maphash.String(m.seed, key)) & mask; m.index[slot] != 0; slot = (slot + 1) & mask {
		have := m.code(int(m.index[slot]) - 1)
		if have == code || !m.about.CaseSensitive && strings.ToLower(have) == key {
			return slot, true
		}
	}
	return slot, false
}

func (m *Memory) concept(i int) Concept {
	c := Concept{Code: m.code(i), Display: m.display(i), Abstract: m.flags[i]&flagAbstract != 0, Inactive: m.flags[i]&flagInactive != 0}
	if up := m.parents.of(i); len(up) > 0 {
		c.Parent = m.code(int(up[0]))
	}
	return c
}

// Lookup finds a code.
func (m *Memory) Lookup(_ context.Context, code string) (Concept, bool, error) {
	i := m.find(code)
	if i < 0 {
		return Concept{}, false, nil
	}
	return m.concept(i), true, nil
}

// Details are all that is known of a code.
func (m *Memory) Details(_ context.Context, code string) (Details, bool, error) {
	i := m.find(code)
	if i < 0 {
		return Details{}, false, nil
	}
	d := Details{Concept: m.concept(i)}
	for _, p := range m.parents.of(i) {
		d.Parents = append(d.Parents, m.code(int(p)))
	}
	for _, c := range m.children.of(i) {
		d.Children = append(d.Children, m.code(int(c)))
	}
	for _, x := range m.detailsOf(i) {
		key, value := &m.keys[x.key], m.notes[x.start:x.end]
		switch key.kind {
		case detailDefinition:
			d.Definition = value
		case detailDesignation:
			d.Designations = append(d.Designations, Designation{Language: key.code, Use: key.use, Value: value})
		case detailProperty:
			d.Properties = append(d.Properties, key.property(value))
		}
	}
	return d, true, nil
}

func (m *Memory) detailsOf(i int) []detail {
	if m.detailEnds == nil {
		return nil
	}
	from := uint32(0)
	if i > 0 {
		from = m.detailEnds[i-1]
	}
	return m.details[from:m.detailEnds[i]]
}

// codingSeparator stands between the parts of a Coding that is the value of a property.
const codingSeparator = "\x00"

func (k *detailKey) property(value string) Property {
	p := Property{Code: k.code, Type: k.typ, Value: value}
	if k.typ == "Coding" {
		parts := strings.SplitN(value+strings.Repeat(codingSeparator, 3), codingSeparator, 5)
		p.Value, p.Coding = "", Coding{System: parts[0], Version: parts[1], Code: parts[2], Display: parts[3]}
	}
	return p
}

// Subsumes reports whether code is ancestor or lies below it.
func (m *Memory) Subsumes(_ context.Context, ancestor, code string) (bool, error) {
	a, c := m.find(ancestor), m.find(code)
	if a < 0 || c < 0 {
		return false, refuse(msgCodeUnknown, m.about.URL)
	}
	return m.below(c, a), nil
}

// below walks up from i. The hierarchy has no cycles, but a concept may be reached on many ways.
func (m *Memory) below(i, ancestor int) bool {
	var todo []uint32
	var seen map[uint32]bool
	for {
		if i == ancestor {
			return true
		}
		up := m.parents.of(i)
		if len(up) == 1 && seen == nil {
			i = int(up[0])
			continue
		}
		if len(up) > 0 {
			if seen == nil {
				seen = map[uint32]bool{}
			}
			for _, p := range up {
				if !seen[p] {
					seen[p] = true
					todo = append(todo, p)
				}
			}
		}
		if len(todo) == 0 {
			return false
		}
		i = int(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
	}
}

// reach returns a concept with all that links lead to from it.
func (m *Memory) reach(l links, i int) bitset {
	found := newBitset(m.len())
	found.set(i)
	todo := []uint32{uint32(i)}
	for len(todo) > 0 {
		at := int(todo[len(todo)-1])
		todo = todo[:len(todo)-1]
		for _, next := range l.of(at) {
			if !found.has(int(next)) {
				found.set(int(next))
				todo = append(todo, next)
			}
		}
	}
	return found
}

// searchText is what text search looks through: one record for each concept.
type searchText struct {
	text string
	ends []uint32
}

func (m *Memory) searchable() func() *searchText {
	return sync.OnceValue(func() *searchText {
		s := &searchText{ends: make([]uint32, m.len())}
		var b strings.Builder
		b.Grow(len(m.text) + 2*m.len())
		for i := range m.len() {
			b.WriteString(folded(m.code(i)))
			b.WriteByte(1)
			b.WriteString(folded(m.display(i)))
			for _, d := range m.detailsOf(i) {
				if m.keys[d.key].kind == detailDesignation {
					b.WriteByte(1)
					b.WriteString(folded(m.notes[d.start:d.end]))
				}
			}
			b.WriteByte(0)
			s.ends[i] = uint32(b.Len())
		}
		s.text = b.String()
		return s
	})
}

// find returns the concepts that have all words, of which the first is the longest.
func (s *searchText) find(words []string) bitset {
	found := newBitset(len(s.ends))
	i, from := 0, 0 // concept, and where its record begins
	for pos := 0; ; {
		at := strings.Index(s.text[pos:], words[0])
		if at < 0 {
			return found
		}
		at += pos
		for at >= int(s.ends[i]) {
			from = int(s.ends[i])
			i++
		}
		if hasWords(s.text[from:s.ends[i]], words[1:]) {
			found.set(i)
		}
		pos = int(s.ends[i])
	}
}
