package fhirpath

import (
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/yilian/yilian/conformance/fhir"
)

// Kind says what a Value is: an element of a resource or a System value.
type Kind uint8

// The kinds.
const (
	Element Kind = iota
	Boolean
	Integer
	Decimal
	String
	Date
	DateTime
	Time
	Quantity
	TypeInfo // what type() returns
)

func (k Kind) String() string {
	return [...]string{"Element", "Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity", "TypeInfo"}[k]
}

// Value is one item of a collection. It is immutable.
type Value struct {
	kind  Kind
	num   int64      // Boolean (0, 1) and Integer
	text  string     // String; namespace of a TypeInfo
	ref   any        // *apd.Decimal, *temporal, *quantity; name of a TypeInfo
	node  *fhir.Node // of an Element, as fhir.Element has them
	extra *fhir.Node
	class *class // of an Element
}

// quantity is a number with a unit: UCUM, or a calendar duration by name.
type quantity struct {
	number   *apd.Decimal
	unit     string
	calendar bool
}

// Kind returns what v is.
func (v Value) Kind() Kind { return v.kind }

// Element returns the nodes of an Element; both are nil for System values.
func (v Value) Element() fhir.Element { return fhir.Element{Value: v.node, Extra: v.extra} }

// Node returns the value node of an Element, nil for a System value and for a
// primitive that has only extensions.
func (v Value) Node() *fhir.Node { return v.node }

// Type returns the name of the FHIR type of an Element ("HumanName", "code",
// "Patient", "BackboneElement"), of the System type otherwise ("Boolean").
func (v Value) Type() string {
	if v.kind == Element {
		return v.class.name
	}
	return v.kind.String()
}

// Namespace returns "FHIR" or "System".
func (v Value) Namespace() string {
	if v.kind == Element {
		return "FHIR"
	}
	return "System"
}

// Bool returns the truth of a Boolean or a FHIR boolean.
func (v Value) Bool() (truth, ok bool) {
	s, ok := v.system()
	return s.num != 0, ok && s.kind == Boolean
}

// StringValue makes a System.String, as a variable needs it.
func StringValue(s string) Value { return stringValue(s) }

func stringValue(s string) Value { return Value{kind: String, text: s} }

func intValue(i int64) Value { return Value{kind: Integer, num: i} }

func boolValue(b bool) Value {
	if b {
		return Value{kind: Boolean, num: 1}
	}
	return Value{kind: Boolean}
}

func decimalValue(d *apd.Decimal) Value { return Value{kind: Decimal, ref: d} }

func quantityValue(d *apd.Decimal, unit string, calendar bool) Value {
	return Value{kind: Quantity, ref: &quantity{number: d, unit: unit, calendar: calendar}}
}

// decimal returns the number of an Integer or Decimal.
func (v Value) decimal() (*apd.Decimal, bool) {
	switch v.kind {
	case Integer:
		return apd.New(v.num, 0), true
	case Decimal:
		return v.ref.(*apd.Decimal), true
	}
	return nil, false
}

func (v Value) quantity() *quantity { return v.ref.(*quantity) }
func (v Value) temporal() *temporal { return v.ref.(*temporal) }

// hasValue reports whether v is a primitive that has a value and not only
// extensions.
func (v *Value) hasValue() bool {
	if v.kind != Element {
		return v.kind != TypeInfo
	}
	switch v.node.Kind() {
	case fhir.String, fhir.Number, fhir.Bool:
		return true
	}
	return false
}

// blank reports whether v is the zero Value, which is no item of any collection.
func (v *Value) blank() bool { return v.kind == Element && v.class == nil }

// system converts an element to the System type that stands for it. It is not
// ok for elements without one, without a value, or with a malformed one.
func (v *Value) system() (Value, bool) {
	if v.kind != Element {
		return *v, true
	}
	if v.class == nil {
		return Value{}, false // no value at all
	}
	if v.class.system == Quantity {
		return v.systemQuantity()
	}
	if !v.hasValue() {
		return Value{}, false
	}
	text := v.node.Text()
	switch v.class.system {
	case Boolean:
		return boolValue(text == "true"), v.node.Kind() == fhir.Bool
	case Integer:
		i, err := strconv.ParseInt(text, 10, 64)
		return intValue(i), err == nil
	case Decimal:
		d, ok := parseDecimal(text)
		return decimalValue(d), ok
	case Date, DateTime, Time:
		return parseTemporal(v.class.system, text)
	case String:
		return stringValue(text), true
	}
	if v.class.kind != classAny {
		return Value{}, false
	}
	// An element that no definition types is what JSON says.
	switch v.node.Kind() {
	case fhir.Bool:
		return boolValue(text == "true"), true
	case fhir.Number:
		return parseNumber(text)
	}
	return stringValue(text), true
}

// systemQuantity converts a FHIR Quantity that is exact, as the R4 mapping
// defines: UCUM years and months stay UCUM.
func (v *Value) systemQuantity() (Value, bool) {
	number := v.node.Get("value")
	d, ok := parseDecimal(number.Text())
	if !ok || v.node.Get("comparator") != nil {
		return Value{}, false
	}
	unit := v.node.Get("code").Text()
	if v.node.Get("system").Text() != ucumSystem {
		unit = v.node.Get("unit").Text()
	}
	if unit == "" {
		unit = "1"
	}
	return quantityValue(d, unit, false), true
}

const ucumSystem = "http://unitsofmeasure.org"

// String returns the value as toString() does; "" for elements with children.
func (v Value) String() string {
	s, ok := v.system()
	if !ok {
		return ""
	}
	switch s.kind {
	case Boolean:
		if s.num != 0 {
			return "true"
		}
		return "false"
	case Integer:
		return strconv.FormatInt(s.num, 10)
	case Decimal:
		return formatDecimal(s.ref.(*apd.Decimal))
	case Date, DateTime, Time:
		return s.temporal().String()
	case Quantity:
		q := s.quantity()
		if q.calendar {
			text := formatDecimal(q.number) + " " + q.unit
			if q.number.Cmp(apd.New(1, 0)) != 0 {
				text += "s"
			}
			return text
		}
		return formatDecimal(q.number) + " '" + q.unit + "'"
	case TypeInfo:
		return s.text + "." + s.ref.(string)
	}
	return s.text
}
