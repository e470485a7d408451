package alliancegen

import (
	"fmt"
	"strconv"
	"strings"
)

// outcome is how an item turns out.
type outcome byte

const (
	normal outcome = iota
	high
	low
	below      // under the limit of detection: <0.01
	above      // over the measuring range: >1000
	haemolysed // no value, the specimen was unfit: 溶血
	seeReport  // no value here: 见报告
	missing    // no value, no reason
	weak       // ordinal ±
	strong     // ordinal ++ or more
	mixed      // ordinal and number in one string: 阳性(+) 12.50
)

// habits are an institution's ways of writing results down, each used in turn.
type habits struct {
	units                        map[string]*wheel[string]
	ranges, upTo                 *wheel[string]
	flagHigh, flagLow, flagPlain *wheel[string]
	flagOrdinal                  string
	negative, weak, positive     *wheel[string]
	pluses                       *wheel[ordinalText]
	colon                        *wheel[string]
	interpretation               map[string]string
}

type ordinalText struct{ text, meaning string }

func newHabits(r *rng, institution string) *habits {
	h := &habits{
		units:    map[string]*wheel[string]{},
		ranges:   newWheel(r, "%s-%s", "%s~%s", "%s--%s", "%s—%s", "%s－%s"),
		upTo:     newWheel(r, "<%s", "≤%s", "0-%s", "＜%s"),
		negative: newWheel(r, "阴性(-)", "阴性", "阴性（-）"),
		weak:     newWheel(r, "弱阳性(±)", "±"),
		positive: newWheel(r, "阳性(+)", "阳性"),
		pluses:   newWheel(r, ordinalText{"+", "1+"}, ordinalText{"++", "2+"}, ordinalText{"+++", "3+"}, ordinalText{"2+", "2+"}),
		colon:    newWheel(r, ":"),
	}
	switch institution {
	case City:
		h.flagHigh, h.flagLow, h.flagPlain = newWheel(r, "H", "↑"), newWheel(r, "L", "↓"), newWheel(r, "", "N")
		h.flagOrdinal = "A"
		h.interpretation = map[string]string{"H": "H", "↑": "H", "L": "L", "↓": "L", "N": "N", "A": "A"}
	case County:
		h.flagHigh, h.flagLow, h.flagPlain = newWheel(r, "↑", "H", "偏高"), newWheel(r, "↓", "L", "偏低"), newWheel(r, "", "N", "P")
		h.flagOrdinal = "*"
		h.colon = newWheel(r, ":", "：")
		h.interpretation = map[string]string{"↑": "H", "H": "H", "偏高": "H", "↓": "L", "L": "L", "偏低": "L", "N": "N", "P": "N", "*": "A"}
	case Lab:
		h.flagHigh, h.flagLow, h.flagPlain = newWheel(r, "↑", "1"), newWheel(r, "↓", "1"), newWheel(r, "", "2")
		h.flagOrdinal = "1"
		h.interpretation = map[string]string{"↑": "H", "↓": "L", "1": "A", "2": "N", "3": "IND"}
	}
	return h
}

func (h *habits) unit(r *rng, it item) string {
	if len(it.spellings) == 0 {
		return it.unit
	}
	w := h.units[it.key]
	if w == nil {
		w = newWheel(r, it.spellings...)
		h.units[it.key] = w
	}
	return w.next()
}

// limits returns the range that applies to a sex.
func (i item) limits(sex string) (lo, hi string) {
	if sex == "female" && i.highF != "" {
		return i.lowF, i.highF
	}
	return i.low, i.high
}

// measure makes the result of an item for somebody of a sex.
func (h *habits) measure(r *rng, it item, sex string, o outcome) Result {
	res := Result{Status: "final"}
	switch o {
	case haemolysed:
		res.Value = Value{Kind: Absent, Reason: "specimen", Sent: "溶血"}
		return res
	case seeReport:
		res.Value = Value{Kind: Absent, Reason: "see-report", Sent: "见报告"}
		return res
	case missing:
		res.Value = Value{Kind: Absent, Reason: "unknown"}
		return res
	}
	switch it.kind {
	case ordinal:
		h.ordinalResult(r, &res, o)
	case titre:
		h.titreResult(r, &res, it, o)
	case group:
		g := pick(r, bloodGroups)
		res.Value = Value{Kind: Text, Code: g[0], Text: g[1], Sent: g[1]}
	default:
		h.numericResult(r, &res, it, sex, o)
	}
	res.Interpret = h.interpretation[res.Flag]
	return res
}

func (h *habits) ordinalResult(r *rng, res *Result, o outcome) {
	res.Range = Range{Text: "阴性"}
	var t ordinalText
	switch o {
	case high:
		t = ordinalText{h.positive.next(), "positive"}
	case weak:
		t = ordinalText{h.weak.next(), "weakly-positive"}
	case strong:
		t = h.pluses.next()
	case mixed:
		n := fmt.Sprintf("%d.%02d", r.between(3, 40), r.intn(100))
		res.Value = Value{Kind: Ordinal, Ordinal: "positive", Number: n, Sent: "阳性(+) " + n}
		res.Flag = h.flagOrdinal
		return
	default:
		t = ordinalText{h.negative.next(), "negative"}
	}
	if t.meaning != "negative" {
		res.Flag = h.flagOrdinal
	}
	res.Value = Value{Kind: Ordinal, Ordinal: t.meaning, Sent: t.text}
}

func (h *habits) titreResult(r *rng, res *Result, it item, o outcome) {
	res.Range = Range{Text: "阴性"}
	if o != high && o != strong {
		res.Value = Value{Kind: Ordinal, Ordinal: "negative", Sent: h.negative.next()}
		return
	}
	unit := h.unit(r, it)
	d := strconv.Itoa(pick(r, []int{80, 160, 320}))
	res.Value = Value{Kind: Ratio, Numerator: "1", Denominator: d, Unit: unit, Sent: "1" + h.colon.next() + d}
	if unit != "" {
		res.Value.UCUM = it.unit
	}
	res.Flag = h.flagOrdinal
}

func (h *habits) numericResult(r *rng, res *Result, it item, sex string, o outcome) {
	lo, hi := it.limits(sex)
	if it.high != "" {
		if lo == "0" {
			res.Range.Text = fmt.Sprintf(h.upTo.next(), hi)
			res.Range.High = hi
			if strings.HasPrefix(res.Range.Text, "0") {
				res.Range.Low = lo
			}
		} else {
			res.Range = Range{Text: fmt.Sprintf(h.ranges.next(), lo, hi), Low: lo, High: hi}
		}
	}
	if o == low && lo == "0" {
		o = normal // nothing lies below
	}
	v := Value{Kind: Quantity, Unit: h.unit(r, it)}
	if v.Unit != "" {
		v.UCUM = it.unit
	}
	switch o {
	case below:
		v.Comparator, v.Number = "<", scaled(1, it.decimals)
	case above:
		v.Comparator, v.Number = ">", "1000"
	default:
		v.Number = number(r, it, lo, hi, o)
	}
	v.Sent = v.Comparator + v.Number
	res.Value = v
	switch o {
	case high, above:
		res.Flag = h.flagHigh.next()
	case low:
		res.Flag = h.flagLow.next()
	case below:
		if lo != "0" {
			res.Flag = h.flagLow.next()
		}
	default:
		res.Flag = h.flagPlain.next()
	}
}

// number draws a decimal text inside the range, or up to its half outside.
func number(r *rng, it item, lo, hi string, o outcome) string {
	a, b := unscaled(lo, it.decimals), unscaled(hi, it.decimals)
	span := max(b-a, 2)
	switch o {
	case high:
		return scaled(b+1+r.intn(span/2+1), it.decimals)
	case low:
		if a < 2 {
			return scaled(a, it.decimals)
		}
		return scaled(a-1-r.intn(a/3+1), it.decimals)
	}
	return scaled(a+r.intn(span), it.decimals)
}

func scaled(n, decimals int) string {
	if decimals == 0 {
		return strconv.Itoa(n)
	}
	s := fmt.Sprintf("%0*d", decimals+1, n)
	return s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}

func unscaled(s string, decimals int) int {
	whole, frac, _ := strings.Cut(s, ".")
	for len(frac) < decimals {
		frac += "0"
	}
	n, err := strconv.Atoi(whole + frac[:decimals])
	if err != nil {
		panic("alliancegen: bad number in the catalogue: " + s)
	}
	return n
}
