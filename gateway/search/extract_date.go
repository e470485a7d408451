package search

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

func (x *indexer) addDate(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "date", "dateTime", "instant":
		if low, high, ok := x.interval(n); ok {
			x.date(low, high)
		}
	case "string":
		// Free text where a date could be; it may be none.
		if low, high, ok := interval(n.Text(), x.engine.opts.Zone); ok {
			x.date(low, high)
		}
	case "Period":
		x.period(n)
	case "Timing":
		x.timing(n)
	}
}

func (x *indexer) date(low, high int64) {
	x.values.Dates = append(x.values.Dates, Date{Param: x.param.code, Low: low, High: high, Group: x.group})
}

// interval reads a date node; one without a value is skipped.
func (x *indexer) interval(n *fhir.Node) (low, high int64, ok bool) {
	if n.Kind() != fhir.String {
		return 0, 0, false
	}
	if low, high, ok = interval(n.Text(), x.engine.opts.Zone); !ok {
		x.unreadable(n, "a date")
	}
	return low, high, ok
}

// bounds reads a Period; a missing end is open.
func (x *indexer) bounds(n *fhir.Node) (low, high int64, ok bool) {
	low, high = MinTime, MaxTime
	start, _, hasStart := x.interval(n.Get("start"))
	_, end, hasEnd := x.interval(n.Get("end"))
	if hasStart {
		low = start
	}
	if hasEnd {
		high = end
	}
	return low, high, (hasStart || hasEnd) && low < high
}

func (x *indexer) period(n *fhir.Node) {
	if low, high, ok := x.bounds(n); ok {
		x.date(low, high)
	}
}

// timing indexes the outer limits of a Timing; its details do not count.
func (x *indexer) timing(n *fhir.Node) {
	low, high := int64(MaxTime), int64(MinTime)
	for _, event := range n.Get("event").Items() {
		if l, h, ok := x.interval(event); ok {
			low, high = min(low, l), max(high, h)
		}
	}
	if l, h, ok := x.bounds(n.Path("repeat", "boundsPeriod")); ok {
		low, high = min(low, l), max(high, h)
	}
	if low < high {
		x.date(low, high)
	}
}
