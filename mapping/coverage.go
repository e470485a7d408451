package mapping

import (
	"maps"
	"slices"
)

// Coverage tells what of records no rule used, and what of resources no rule made. Merge sums it over many records.
type Coverage struct {
	Records  int
	Fields   int            // values present
	Read     int            // of them, those that a rule read
	Unread   map[string]int // field without its position, "PID-5.7" or "LIS_BGXM.JCFF" → how often present and unread
	Unfilled map[string]int // mandatory element, "Observation.status" → how often no rule filled it
}

// Merge adds o to c.
func (c *Coverage) Merge(o *Coverage) {
	if o == nil {
		return
	}
	c.Records += o.Records
	c.Fields += o.Fields
	c.Read += o.Read
	if c.Unread == nil {
		c.Unread = map[string]int{}
	}
	for k, n := range o.Unread {
		c.Unread[k] += n
	}
	if c.Unfilled == nil {
		c.Unfilled = map[string]int{}
	}
	for k, n := range o.Unfilled {
		c.Unfilled[k] += n
	}
}

// UnreadFields are the keys of Unread in alphabetical order.
func (c *Coverage) UnreadFields() []string { return slices.Sorted(maps.Keys(c.Unread)) }

// UnfilledElements are the keys of Unfilled in alphabetical order.
func (c *Coverage) UnfilledElements() []string { return slices.Sorted(maps.Keys(c.Unfilled)) }
