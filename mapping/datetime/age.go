package datetime

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// Age is an age as a form prints it: 45岁, 3月12天, 2岁6月, 5小时. It is what somebody read on a screen, not a birth date.
type Age struct {
	Years, Months, Weeks, Days, Hours int
	unit                              string // the finest one that was written
}

// Given reports whether there is an age.
func (a Age) Given() bool { return a.unit != "" }

// Quantity returns the age in the finest unit that was written, as UCUM: 2岁6月 is 30 mo, 3月12天 is 102 d. Months count 30 days then,
// as those who print such ages count them.
func (a Age) Quantity() (value int, unit string) {
	months := a.Years*12 + a.Months
	switch a.unit {
	case "a":
		return a.Years, "a"
	case "mo":
		return months, "mo"
	case "wk":
		return a.Weeks + (months*30+a.Days)/7, "wk"
	case "d":
		return a.Years*365 + a.Months*30 + a.Weeks*7 + a.Days, "d"
	case "h":
		return (a.Years*365+a.Months*30+a.Weeks*7+a.Days)*24 + a.Hours, "h"
	}
	return 0, ""
}

// ageParts are the units of an age from the largest; an age names each at most once and in this order.
var ageParts = []struct {
	code  string
	words []string
	limit int
}{
	{"a", []string{"周岁", "岁", "年", "years", "year", "y", "Y"}, 150},
	{"mo", []string{"个月", "月", "months", "month", "mo", "m", "M"}, 240},
	{"wk", []string{"周", "星期", "weeks", "week", "w", "W"}, 520},
	{"d", []string{"天", "日", "days", "day", "d", "D"}, 3650},
	{"h", []string{"小时", "时", "hours", "hour", "h", "H"}, 240},
}

// ParseAge reads an age. A bare number is years only when bareYears says so. The error is always an *Error.
func ParseAge(text string, bareYears bool) (Age, error) {
	s := strings.ReplaceAll(fold.Text(text), " ", "")
	if len(s) > maxLength {
		return Age{}, errFormat
	}
	if s == "" || placeholder(s, nil) {
		return Age{}, nil
	}
	var a Age
	fields := [...]*int{&a.Years, &a.Months, &a.Weeks, &a.Days, &a.Hours}
	next := 0
	for s != "" {
		n := 0
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		if n == 0 || n > 4 {
			return Age{}, errFormat
		}
		value, _ := strconv.Atoi(s[:n])
		s = s[n:]
		if s == "" && next == 0 && bareYears {
			s = "岁"
		}
		found := false
		for i := next; i < len(ageParts) && !found; i++ {
			for _, w := range ageParts[i].words {
				rest, ok := strings.CutPrefix(s, w)
				if !ok {
					continue
				}
				if value > ageParts[i].limit {
					return Age{}, errImpossible
				}
				*fields[i], a.unit, s, next, found = value, ageParts[i].code, rest, i+1, true
				break
			}
		}
		if !found {
			return Age{}, errFormat
		}
		s = strings.TrimPrefix(s, "零")
	}
	return a, nil
}
