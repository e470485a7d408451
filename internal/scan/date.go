package scan

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// period is the time that a date covers: from its first instant to before its last.
type period struct{ from, to time.Time }

var (
	ever  = time.Date(-100_000, 1, 1, 0, 0, 0, 0, time.UTC)
	never = time.Date(100_000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// covered reads a date of any precision.
func (w *World) covered(s string) (period, error) {
	for _, f := range []struct {
		layout              string
		years, months, days int
		width               time.Duration
	}{
		{"2006", 1, 0, 0, 0}, {"2006-01", 0, 1, 0, 0}, {"2006-01-02", 0, 0, 1, 0},
		{"2006-01-02T15:04", 0, 0, 0, time.Minute}, {"2006-01-02T15:04Z07:00", 0, 0, 0, time.Minute},
		{"2006-01-02T15:04:05", 0, 0, 0, time.Second}, {"2006-01-02T15:04:05Z07:00", 0, 0, 0, time.Second},
	} {
		t, err := time.ParseInLocation(f.layout, s, w.Zone)
		if err != nil {
			continue
		}
		if _, fraction, ok := strings.Cut(s, "."); ok { // the layouts take one
			digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
			f.width = time.Duration(math.Pow10(9 - digits))
		}
		return period{t, t.AddDate(f.years, f.months, f.days).Add(f.width)}, nil
	}
	return period{}, fmt.Errorf("%s is no date", s)
}

// of reads the time of an element: a date or a Period, whose ends may be open.
func (w *World) of(v any) (p period, ok bool) {
	if _, object := v.(map[string]any); !object {
		p, err := w.covered(text(v))
		return p, err == nil
	}
	if events, repeat := at(v, "event"), at(v, "repeat"); events != nil || repeat != nil {
		return w.timing(events, at(v, "repeat.boundsPeriod"))
	}
	p = period{ever, never}
	if start, err := w.covered(text(v, "start")); err == nil {
		p.from, ok = start.from, true
	}
	if end, err := w.covered(text(v, "end")); err == nil {
		p.to, ok = end.to, true
	}
	return p, ok
}

// timing is all the time that a Timing may take, from its first event to its last.
func (w *World) timing(events, bounds []any) (p period, ok bool) {
	for _, v := range append(events, bounds...) {
		switch part, fine := w.of(v); {
		case !fine:
			continue
		case !ok:
			p, ok = part, true
		default:
			if part.from.Before(p.from) {
				p.from = part.from
			}
			if part.to.After(p.to) {
				p.to = part.to
			}
		}
	}
	return p, ok
}

func prefix(value string) (prefix, rest string) {
	for _, p := range []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"} {
		if rest, ok := strings.CutPrefix(value, p); ok {
			return p, rest
		}
	}
	return "eq", value
}

// dateTest compares the time that is asked for with that of an element: https://hl7.org/fhir/R4/search.html#prefix.
func (w *World) dateTest(value string) (func(any) bool, error) {
	compare, date := prefix(value)
	asked, err := w.covered(date)
	if err != nil {
		return nil, err
	}
	return func(v any) bool {
		is, ok := w.of(v)
		within := !is.from.Before(asked.from) && !is.to.After(asked.to)
		later, earlier := is.to.After(asked.to), is.from.Before(asked.from)
		return ok && map[string]bool{
			"eq": within, "ne": !within, "gt": later, "lt": earlier, "ge": later || within, "le": earlier || within,
			"sa": !is.from.Before(asked.to), "eb": !is.to.After(asked.from),
		}[compare]
	}, nil
}
