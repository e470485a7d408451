package search

import (
	"math"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/terminology/ucum"
)

func (x *indexer) addNumber(v *fhirpath.Value) {
	n := v.Node()
	switch {
	case n.Kind() == fhir.Number:
		if d, ok := readDecimal(n.Text()); ok {
			x.number(d.low, d.high)
		}
	case v.Type() == "Range":
		if low, high, ok := rangeOf(n); ok {
			x.number(low, high)
		}
	}
}

func (x *indexer) number(low, high float64) {
	x.values.Numbers = append(x.values.Numbers, Number{Param: x.param.code, Low: low, High: high, Group: x.group})
}

// rangeOf returns the interval of a Range; a missing end is open.
func rangeOf(n *fhir.Node) (low, high float64, ok bool) {
	low, high = math.Inf(-1), math.Inf(1)
	if d, has := readDecimal(n.Path("low", "value").Text()); has {
		low, ok = d.low, true
	}
	if d, has := readDecimal(n.Path("high", "value").Text()); has {
		high, ok = d.high, true
	}
	return low, high, ok && low < high
}

const (
	ucumSystem     = "http://unitsofmeasure.org"
	currencySystem = "urn:iso:std:iso:4217"
)

func (x *indexer) addQuantity(v *fhirpath.Value) {
	n := v.Node()
	switch v.Type() {
	case "Money":
		if d, ok := readDecimal(n.Get("value").Text()); ok {
			currency := n.Get("currency").Text()
			x.quantity(Quantity{Low: d.low, High: d.high, System: currencySystem, Code: currency, Unit: currency})
		}
	case "Range":
		low, high, ok := rangeOf(n)
		unit := n.Get("low")
		if unit == nil {
			unit = n.Get("high")
		}
		if ok {
			x.quantity(quantityOf(unit, low, high))
		}
	case "Quantity", "Age", "Duration", "Distance", "Count":
		if d, ok := readDecimal(n.Get("value").Text()); ok {
			low, high := compared(n.Get("comparator").Text(), d)
			x.quantity(quantityOf(n, low, high))
		}
	}
}

// compared widens a value with a comparator to what it may stand for. Like where a search
// compares, its digits do not count.
func compared(comparator string, d decimal) (low, high float64) {
	// What is not the value itself is off by more than stores allow for rounding.
	off := max(math.Abs(d.value)*1e-9, 1e-12)
	switch comparator {
	case "<":
		return math.Inf(-1), d.value - off
	case "<=":
		return math.Inf(-1), d.value
	case ">":
		return d.value + off, math.Inf(1)
	case ">=":
		return d.value, math.Inf(1)
	}
	return d.low, d.high
}

func quantityOf(n *fhir.Node, low, high float64) Quantity {
	return Quantity{
		Low: low, High: high,
		System: n.Get("system").Text(), Code: n.Get("code").Text(), Unit: n.Get("unit").Text(),
	}
}

func (x *indexer) quantity(q Quantity) {
	q.Param, q.Group = x.param.code, x.group
	if q.System == ucumSystem && q.Code != "" {
		if u, ok := ucum.Parse(q.Code); ok {
			q.CanonicalCode = u.Canonical()
			q.CanonicalLow, q.CanonicalHigh = u.Float(q.Low), u.Float(q.High)
		}
	}
	x.values.Quantities = append(x.values.Quantities, q)
}
