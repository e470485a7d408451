package datetime

import (
	"time"
)

// Precision says how much of a moment was written.
type Precision uint8

// The precisions, from nothing at all to a fraction of a second.
const (
	None Precision = iota // nothing was given
	Year
	Month
	Day
	Hour
	Minute
	Second
	Fraction
)

// Value is one date, date-time or time of day as it was written. The zero Value means that none was given.
// Values are small, comparable and safe to copy.
type Value struct {
	Precision   Precision
	Placeholder bool // Precision is None because the text stands for "none": 0000-00-00, 不详
	TimeOnly    bool // a time of day without a date

	year                 int16
	month, day           int8
	hour, minute, second int8
	digits               uint8 // of the fraction
	nano                 int32
	zoned                bool  // the text states its offset
	zulu                 bool  // the text states it as Z
	offset               int16 // minutes east of Greenwich, when zoned
	zone                 *time.Location
}

// Given reports whether there is a date or time at all.
func (v Value) Given() bool { return v.Precision != None }

// Zoned reports whether the text itself stated its offset.
func (v Value) Zoned() bool { return v.zoned }

// Time returns the first moment that v covers: midnight in the zone for a date, the first of the month for a month.
// It reports false when v has no date.
func (v Value) Time() (time.Time, bool) {
	if !v.Given() || v.TimeOnly {
		return time.Time{}, false
	}
	month, day := max(v.month, 1), max(v.day, 1)
	return time.Date(int(v.year), time.Month(month), int(day), int(v.hour), int(v.minute), int(v.second), int(v.nano),
		v.location()), true
}

// Join puts the time of day t on the date v. Hospital tables often keep the two in columns of their own.
// Without a time of day v is returned as it is; a v that already has a time keeps it.
func (v Value) Join(t Value) Value {
	if v.Precision != Day || !t.Given() || t.Precision < Hour {
		return v
	}
	v.Precision, v.hour, v.minute, v.second = t.Precision, t.hour, t.minute, t.second
	v.nano, v.digits = t.nano, t.digits
	v.zoned, v.zulu, v.offset = t.zoned, t.zulu, t.offset
	return v
}

func (v Value) location() *time.Location {
	switch {
	case v.zulu:
		return time.UTC
	case v.zoned:
		return time.FixedZone("", int(v.offset)*60)
	case v.zone != nil:
		return v.zone
	}
	return China()
}

// minutesEast returns the offset to print. Offsets with seconds exist only before 1901 (local mean time); FHIR cannot
// state them, the whole minute is what is left.
func (v Value) minutesEast() int {
	if v.zoned {
		return int(v.offset)
	}
	t, _ := v.Time()
	_, seconds := t.Zone()
	return seconds / 60
}
