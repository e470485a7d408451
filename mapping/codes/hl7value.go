package codes

import (
	"strings"

	"github.com/yilian/yilian/mapping/fold"
)

// ParseNM reads an HL7 v2 NM: an optional sign, digits, an optional point. A sender that writes more than a number into an NM
// is read as ParseResult reads it.
func ParseNM(text string, o ResultOptions) Result {
	s := strings.TrimSpace(text)
	if len(s) <= maxResult {
		if v, rest, ok := number(s); ok && rest == "" && !strings.Contains(s, ",") {
			return Result{Kind: ResultNumber, Text: s, Value: v}
		}
	}
	return ParseResult(text, o)
}

// ParseSN reads an HL7 v2 SN from its four components: comparator, first number, separator or suffix, second number.
// <^0.5 is a number, 1^:^80 and 1^/^80 a ratio, 0^-^1 a range, 2^+ an ordinal. Components that form none of these are text.
func ParseSN(comparatorText, num1, separator, num2 string, o ResultOptions) Result {
	c, a := fold.Text(comparatorText), fold.Text(num1)
	sep, b := fold.Text(separator), fold.Text(num2)
	text := c + a + sep + b
	if text == "" {
		return Result{Kind: ResultMissing, Absent: "unknown"}
	}
	asText := Result{Kind: ResultText, Text: text}
	if len(text) > maxResult {
		return asText
	}
	code, rest := comparator(c)
	if rest != "" && rest != "=" { // <> says "not equal": FHIR has no comparator for it
		return asText
	}
	first, rest, ok := number(a)
	if rest != "" {
		return asText
	}
	if !ok {
		if a != "" || b == "" { // a lone second number is the upper end of a range: ^^-^5
			return asText
		}
		second, rest, good := number(b)
		if !good || rest != "" || sep != "-" || code != "" {
			return asText
		}
		return Result{Kind: ResultRange, Text: text, High: second}
	}
	second, rest, has := number(b)
	if rest != "" || !has && b != "" {
		return asText
	}
	r := Result{Kind: ResultNumber, Text: text, Comparator: code, Value: first}
	switch {
	case sep == "" && !has:
		return r
	case (sep == ":" || sep == "/") && has && strings.Trim(second, "0.-") != "":
		r.Kind, r.Numerator, r.Denominator, r.Value = ResultRatio, first, second, ""
		return r
	case sep == "-" && code == "" && (!has || lessEqual(first, second)):
		r.Kind, r.Low, r.High, r.Value = ResultRange, first, second, ""
		return r
	case sep == "+" && !has && code == "":
		if ord, ok := parseOrdinal(first + "+"); ok {
			return ordinalResult(text, ord)
		}
		return Result{Kind: ResultNumber, Text: text, Comparator: ">=", Value: first} // 70^+: seventy and more
	}
	return asText
}
