package hl7v2

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed structures.txt
var structuresText string

// Structure is the grammar of a kind of message.
type Structure struct {
	Name     string   // "ORU_R01"; "*" for what no structure is known of
	Triggers []string // "ORU^R01", …
	Root     *Group
}

// Group is a message or a segment group. It is a record.Names: it declares the
// segments and groups that may stand directly in it.
type Group struct {
	Name  string
	Items []Item

	direct map[string]bool
	entry  map[string]int // cost of beginning the group with a segment; see place
	ahead  string         // the segment that must follow for the group to be meant
}

// Item is one place in a group: a segment, a choice of segments, or a group.
type Item struct {
	Segments []string // one, or the alternatives of a choice; nil for a group
	Group    *Group
	Required bool // by the standard
	Repeats  bool

	omitted bool // required, but senders leave it out
	ordered bool // never entered when its place is past
}

// Declares implements record.Names.
func (g *Group) Declares(name string) bool { return g.direct[name] }

// Child returns the group of that name that may stand directly in g.
func (g *Group) Child(name string) (*Group, bool) {
	for i := range g.Items {
		if c := g.Items[i].Group; c != nil && c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// Find returns the names of the groups, from g inwards, through which a path that
// only says name reaches it: none when g itself declares it, else those groups
// below that stand at most once in theirs. ok is false when there is no such place.
func (g *Group) Find(name string) (through []string, ok bool) {
	if g.direct[name] {
		return nil, true
	}
	for i := range g.Items {
		it := &g.Items[i]
		if it.Group == nil || it.Repeats {
			continue
		}
		if below, ok := it.Group.Find(name); ok {
			return append([]string{it.Group.Name}, below...), true
		}
	}
	return nil, false
}

// StructureOf returns the structure of a message type as MSH-9 ("ORU^R01",
// "ADT^A04^ADT_A01") or record.Record.Type has it. A known trigger decides, for
// senders fill MSH-9.3 with what they like; without one the structure that is
// named. The structures are the union of versions 2.3.1 to 2.8, so that a map
// fits all of them; a version that is not 2.x has none.
func StructureOf(messageType, version string) (*Structure, bool) {
	if version != "" && version != "2" && !strings.HasPrefix(version, "2.") {
		return nil, false
	}
	part := strings.Split(messageType, "^")
	s := structures()
	if len(part) == 1 {
		return s.lookup(part[0], part[0])
	}
	if found, ok := s.lookup(part[0]+"^"+part[1], ""); ok {
		return found, true
	}
	if len(part) > 2 {
		if found, ok := s.lookup("", part[2]); ok {
			return found, true
		}
	}
	return s.lookup(part[0], "")
}

// Structures returns all structures in the order of the table, without the one
// for unknown messages.
func Structures() []*Structure { return structures().all }

type catalogue struct {
	all       []*Structure
	byName    map[string]*Structure
	byTrigger map[string]*Structure
	unknown   *Structure
}

func (c *catalogue) lookup(trigger, name string) (*Structure, bool) {
	if s, ok := c.byTrigger[trigger]; ok {
		return s, true
	}
	s, ok := c.byName[name]
	return s, ok
}

var structures = sync.OnceValue(func() *catalogue {
	c, err := parseStructures(structuresText)
	if err != nil {
		panic("hl7v2: structures.txt: " + err.Error()) // a fault of the build; a test reads the table
	}
	return c
})

// parseStructures reads the notation that the head of structures.txt explains.
func parseStructures(text string) (*catalogue, error) {
	c := &catalogue{byName: map[string]*Structure{}, byTrigger: map[string]*Structure{}}
	macros := map[string][]string{}
	var open *Structure
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "@"):
			if len(words) < 3 || words[1] != "=" {
				return nil, fmt.Errorf("line %d: a macro is @NAME = items", i+1)
			}
			macros[words[0]] = words[2:]
		case line[0] == '\t':
			if open == nil {
				return nil, fmt.Errorf("line %d: items without a structure", i+1)
			}
			p := itemParser{words: words, macros: macros}
			items, err := p.items(false)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			open.Root = newGroup(open.Name, items, nil, "")
		default:
			open = &Structure{Name: words[0]}
			code, _, _ := strings.Cut(words[0], "_")
			if words[0] == "*" {
				c.unknown = open
				continue
			}
			c.all = append(c.all, open)
			c.byName[open.Name] = open
			if code == open.Name {
				c.byTrigger[code] = open
			}
			for _, event := range words[1:] {
				trigger := code + "^" + event
				if _, taken := c.byTrigger[trigger]; taken {
					return nil, fmt.Errorf("line %d: %s has a structure already", i+1, trigger)
				}
				open.Triggers = append(open.Triggers, trigger)
				c.byTrigger[trigger] = open
			}
		}
	}
	for _, s := range append(c.all, c.unknown) {
		if s == nil || s.Root == nil {
			return nil, fmt.Errorf("a structure has no items")
		}
	}
	return c, nil
}

type itemParser struct {
	words  []string
	macros map[string][]string
	depth  int
}

func (p *itemParser) items(inside bool) ([]Item, error) {
	var items []Item
	for len(p.words) > 0 {
		word := p.words[0]
		p.words = p.words[1:]
		switch {
		case word == ")":
			if !inside {
				return nil, fmt.Errorf("a ) too many")
			}
			return items, nil
		case word[0] == '@':
			body, ok := p.macros[word]
			if p.depth++; !ok || p.depth > 1000 {
				return nil, fmt.Errorf("%s is not defined", word)
			}
			p.words = append(append([]string{}, body...), p.words...)
			continue
		}
		var only []string
		if head, list, ok := strings.Cut(word, "{"); ok { // the list of beginners may span words
			for !strings.Contains(list, "}") {
				if len(p.words) == 0 {
					return nil, fmt.Errorf("a { without }")
				}
				list += " " + p.words[0]
				p.words = p.words[1:]
			}
			list, after, _ := strings.Cut(list, "}")
			only, word = strings.Fields(list), head+after
		}
		word, isGroup := strings.CutSuffix(word, "(")
		word, ahead, _ := strings.Cut(word, ">")
		name := strings.TrimRight(word, "?*+~!")
		mark, ordered := strings.CutSuffix(word[len(name):], "!")
		it := Item{
			Required: mark == "" || mark == "+" || mark == "~",
			Repeats:  mark == "*" || mark == "+",
			omitted:  mark == "~",
			ordered:  ordered,
		}
		if isGroup {
			kids, err := p.items(true)
			if err != nil {
				return nil, err
			}
			it.Group = newGroup(name, kids, only, ahead)
		} else {
			it.Segments = strings.Split(name, "|")
			for _, s := range it.Segments {
				if !isSegmentID(s) {
					return nil, fmt.Errorf("%q is no segment", s)
				}
			}
		}
		items = append(items, it)
	}
	if inside {
		return nil, fmt.Errorf("a ( without )")
	}
	return items, nil
}

// skipped is what passing over a required item costs; a level of nesting costs 1.
const skipped = 10

func newGroup(name string, items []Item, only []string, ahead string) *Group {
	g := &Group{Name: name, Items: items, direct: map[string]bool{}, entry: map[string]int{}, ahead: ahead}
	before := 0
	enter := func(segment string, cost int) {
		if have, ok := g.entry[segment]; !ok || cost < have {
			g.entry[segment] = cost
		}
	}
	for i := range items {
		it := &items[i]
		for _, s := range it.Segments {
			g.direct[s] = true
			enter(s, before)
		}
		if it.Group != nil {
			g.direct[it.Group.Name] = true
			if it.Group.ahead == "" {
				for s, cost := range it.Group.entry {
					enter(s, before+1+cost)
				}
			}
		}
		if it.Required && !it.omitted && !(it.Group != nil && it.Group.optional()) {
			before += skipped
		}
	}
	for s, cost := range g.entry {
		if only != nil && !slices.Contains(only, s) && cost < skipped {
			g.entry[s] = cost + skipped
		}
	}
	return g
}

// optional reports whether nothing in g is required, so that g may be passed over.
func (g *Group) optional() bool {
	for i := range g.Items {
		it := &g.Items[i]
		if it.Required && !it.omitted && !(it.Group != nil && it.Group.optional()) {
			return false
		}
	}
	return true
}
