package validate

import (
	"math"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// primitive says how values of a primitive type look.
type primitive struct {
	json  fhir.Kind
	valid func(text string) bool // nil if every JSON value of the kind is
	msg   message                // if it is not valid
	more  func(r *run, n *fhir.Node)
}

// primitives are the primitive types of R4. Their scanners follow the regular
// expressions of https://hl7.org/fhir/R4/datatypes.html#primitive and the rules
// beside them.
var primitives = map[string]*primitive{
	"boolean":      {json: fhir.Bool},
	"decimal":      {json: fhir.Number, valid: validDecimal, msg: format("decimal")},
	"integer":      {json: fhir.Number, valid: validInteger, msg: format("integer")},
	"unsignedInt":  {json: fhir.Number, valid: validUnsigned, msg: format("unsignedInt")},
	"positiveInt":  {json: fhir.Number, valid: validPositive, msg: format("positiveInt")},
	"string":       {json: fhir.String, valid: validString, msg: format("string"), more: lookAtText},
	"markdown":     {json: fhir.String, valid: validString, msg: format("markdown"), more: lookAtText},
	"code":         {json: fhir.String, valid: validCode, msg: format("code")},
	"id":           {json: fhir.String, valid: validID, msg: format("id")},
	"uri":          {json: fhir.String, valid: validURI, msg: format("uri")},
	"url":          {json: fhir.String, valid: validURI, msg: format("url")},
	"canonical":    {json: fhir.String, valid: validURI, msg: format("canonical")},
	"oid":          {json: fhir.String, valid: validOID, msg: format("oid")},
	"uuid":         {json: fhir.String, valid: validUUID, msg: format("uuid")},
	"base64Binary": {json: fhir.String, valid: validBase64, msg: format("base64Binary")},
	"date":         {json: fhir.String, valid: validDate, msg: format("date")},
	"dateTime":     {json: fhir.String, valid: validDateTime, msg: format("dateTime")},
	"instant":      {json: fhir.String, valid: validInstant, msg: format("instant")},
	"time":         {json: fhir.String, valid: validTime, msg: format("time")},
	"xhtml":        {json: fhir.String, more: checkNarrative},
}

func format(typ string) message { return newMessage("format-"+typ, fhir.TypeValue) }

// primitive tests one value.
func (r *run) primitive(p *primitive, n *fhir.Node) {
	switch {
	case n.Kind() != p.json:
		r.fail(n, msgJSONType, p.json.String())
	case p.valid != nil && !p.valid(n.Text()):
		r.fail(n, p.msg, "")
	case p.more != nil:
		p.more(r, n)
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func hexDigit(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// digits reports whether s is not empty and all digits.
func digits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

func validDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	s, exponent, has := cutAny(s, "eE")
	if has {
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if !digits(exponent) {
			return false
		}
	}
	whole, fraction, has := strings.Cut(s, ".")
	if has && !digits(fraction) {
		return false
	}
	return digits(whole) && (whole == "0" || whole[0] != '0')
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func validInteger(s string) bool { return wholeNumber(s, math.MinInt32) }

func validUnsigned(s string) bool { return wholeNumber(s, 0) }

func validPositive(s string) bool { return wholeNumber(s, 1) }

func wholeNumber(s string, least int64) bool {
	abs := strings.TrimPrefix(s, "-")
	if !digits(abs) || abs[0] == '0' && len(abs) > 1 || s == "-0" && least >= 0 {
		return false
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return err == nil && n >= least
}

// maxString is the greatest length of a string, in characters.
const maxString = 1 << 20

func validString(s string) bool {
	if len(s) <= maxString {
		return s != ""
	}
	n := 0
	for range s {
		n++
	}
	return n <= maxString
}

// lookAtText warns of what strings should not be.
func lookAtText(r *run, n *fhir.Node) {
	blank := true
	for _, c := range []byte(n.Text()) {
		switch {
		case c > ' ':
			blank = false
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			r.report(n, fhir.Warning, msgStringControl, "")
			return
		}
	}
	if blank {
		r.report(n, fhir.Warning, msgStringBlank, "")
	}
}

// validCode takes text whose inner white space is single characters.
func validCode(s string) bool {
	space := true // at the start, white space is one too many
	for i := range len(s) {
		if isSpace(s[i]) {
			if space {
				return false
			}
			space = true
		} else {
			space = false
		}
	}
	return !space
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

const maxID = 64

func validID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && !digit(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// validURI takes anything without white space, and holds URNs of the two kinds
// FHIR knows to their form.
func validURI(s string) bool {
	for i := range len(s) {
		if isSpace(s[i]) {
			return false
		}
	}
	switch {
	case strings.HasPrefix(s, "urn:oid:"):
		return validOID(s)
	case strings.HasPrefix(s, "urn:uuid:"):
		return uuid(s[len("urn:uuid:"):], hexDigit)
	}
	return s != ""
}

// validScheme takes the scheme of a URL.
func validScheme(s string) bool {
	for i := range len(s) {
		if c := s[i]; !letter(c) && (i == 0 || !digit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

func validOID(s string) bool {
	s, ok := strings.CutPrefix(s, "urn:oid:")
	if !ok || len(s) < 3 || s[0] > '2' {
		return false
	}
	first, rest, ok := strings.Cut(s, ".")
	if !ok || len(first) != 1 || !digit(first[0]) {
		return false
	}
	for more := true; more; {
		var arc string
		arc, rest, more = strings.Cut(rest, ".")
		if !digits(arc) || arc[0] == '0' && len(arc) > 1 {
			return false
		}
	}
	return true
}

func validUUID(s string) bool {
	s, ok := strings.CutPrefix(s, "urn:uuid:")
	return ok && uuid(s, func(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' })
}

func uuid(s string, hex func(byte) bool) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash && s[i] != '-' || !dash && !hex(s[i]) {
			return false
		}
	}
	return true
}

// validBase64 takes base64 with white space anywhere between its characters.
func validBase64(s string) bool {
	count, pad := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isSpace(c):
			continue
		case c == '=':
			pad++
		case pad > 0 || !letter(c) && !digit(c) && c != '+' && c != '/':
			return false
		}
		count++
	}
	return count > 0 && count%4 == 0 && pad <= 2
}
