package compare

import (
	"cmp"
	"slices"
)

// Kind says what differs.
type Kind string

// The kinds of difference. Those of a record have no type, those of a resource no element.
const (
	RecordAdded   Kind = "record-added"   // only the new maps find it
	RecordRemoved Kind = "record-removed" // only the old maps find it
	Refused       Kind = "refused"        // the old maps took it, the new ones refuse it
	Accepted      Kind = "accepted"       // the other way round
	Routed        Kind = "routed"         // another map reads it
	Ordered       Kind = "ordered"        // another version, key of an unchanged row or lane

	ResourceAdded   Kind = "resource-added"
	ResourceRemoved Kind = "resource-removed"
	WriteChanged    Kind = "write-changed" // replace, update, merge

	ElementAdded     Kind = "element-added"
	ElementRemoved   Kind = "element-removed"
	ElementChanged   Kind = "element-changed"
	ElementReordered Kind = "element-reordered"

	IssueAdded   Kind = "issue-added"
	IssueRemoved Kind = "issue-removed"
)

// Report is what two versions make differently of a corpus.
type Report struct {
	Records int      // that one of them found
	Changed int      // of them, those of which something differs
	Changes []Change // the most important kinds first, within a kind the most frequent
	Untold  int      // differences that are in no Change, because there are too many kinds of them
}

// Same reports whether nothing differs.
func (r *Report) Same() bool { return r.Changed == 0 }

// Change is one kind of difference, summed over all records.
type Change struct {
	Kind     Kind
	Type     string // of the resource
	Element  string // with its type in front and without positions: Observation.code.coding.code
	Issue    string // message id of an issue
	Count    int
	Examples []Example
}

// Example is one place of a difference. Old and New are values of a record.
type Example struct {
	File     string
	Line     int
	Place    string // of a workbook's row
	Resource string // Type/id
	Old, New string
}

type changeKey struct {
	kind                Kind
	typ, element, issue string
}

type summary struct {
	o       Options
	records int
	changed int
	untold  int
	changes map[changeKey]*Change
}

func newSummary(o Options) *summary { return &summary{o: o, changes: map[changeKey]*Change{}} }

func (s *summary) note(k changeKey, e Example) {
	c := s.changes[k]
	if c == nil {
		if len(s.changes) >= s.o.Kinds {
			s.untold++
			return
		}
		c = &Change{Kind: k.kind, Type: k.typ, Element: k.element, Issue: k.issue}
		s.changes[k] = c
	}
	c.Count++
	if len(c.Examples) < s.o.Examples {
		c.Examples = append(c.Examples, e)
	}
}

// kindOrder is the order in which kinds are told: what loses records first.
var kindOrder = []Kind{
	Refused, Accepted, RecordRemoved, RecordAdded, Routed, Ordered, ResourceRemoved, ResourceAdded, WriteChanged,
	ElementRemoved, ElementAdded, ElementChanged, ElementReordered, IssueAdded, IssueRemoved,
}

func (s *summary) report() *Report {
	r := &Report{Records: s.records, Changed: s.changed, Untold: s.untold}
	for _, c := range s.changes {
		r.Changes = append(r.Changes, *c)
	}
	slices.SortFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(
			slices.Index(kindOrder, a.Kind)-slices.Index(kindOrder, b.Kind),
			cmp.Compare(a.Type, b.Type),
			b.Count-a.Count,
			cmp.Compare(a.Element, b.Element),
			cmp.Compare(a.Issue, b.Issue),
		)
	})
	return r
}
