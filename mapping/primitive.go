package mapping

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/fold"
)

// problem says why a text is no value of a type; None means that the text stands for "nothing".
type problem struct {
	id   string
	want string
	none bool
}

var (
	idForm      = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)
	decimalForm = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?$`)
	integerForm = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,9})$`)
	oidForm     = regexp.MustCompile(`^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$`)
	uuidForm    = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// primitive makes a value of a FHIR primitive type of a text.
func primitive(typ, text string, dates datetime.Options) (*fhir.Node, *problem) {
	switch typ {
	case "string", "markdown", "xhtml":
		s := clean(text)
		if s == "" {
			return nil, &problem{none: true, want: "want text"}
		}
		return fhir.NewString(s), nil
	case "date", "dateTime", "instant":
		return date(typ, text, dates)
	case "time":
		v, err := datetime.ParseTime(text, dates)
		if err != nil {
			return nil, &problem{id: "date-" + dateKind(err), want: err.Error()}
		}
		if s, ok := v.TimeOfDay(); ok {
			return fhir.NewString(s), nil
		}
		return nil, &problem{none: true, want: "want a time of day"}
	case "boolean":
		switch fold.Key(text) {
		case "true", "1", "y", "yes", "t", "是", "有":
			return fhir.NewBool(true), nil
		case "false", "0", "n", "no", "f", "否", "无":
			return fhir.NewBool(false), nil
		}
		return nil, &problem{id: "boolean-format", want: "want true or false"}
	case "integer", "positiveInt", "unsignedInt":
		s := strings.TrimPrefix(fold.Text(text), "+")
		if t := strings.TrimLeft(s, "0"); t != s && t != "" && t[0] >= '0' && t[0] <= '9' {
			s = t
		}
		if !integerForm.MatchString(s) || len(s) == 10 && s > "2147483647" || len(s) == 11 && s > "-2147483648" ||
			typ != "integer" && s[0] == '-' || typ == "positiveInt" && s == "0" {
			return nil, &problem{id: "number-format", want: "want " + article(typ)}
		}
		return fhir.NewNumber(s), nil
	case "decimal":
		s := strings.TrimPrefix(fold.Text(text), "+")
		neg := strings.HasPrefix(s, "-")
		s = strings.TrimPrefix(s, "-")
		if strings.HasPrefix(s, ".") {
			s = "0" + s
		}
		for len(s) > 1 && s[0] == '0' && s[1] != '.' {
			s = s[1:]
		}
		s = strings.TrimSuffix(s, ".")
		if neg {
			s = "-" + s
		}
		if !decimalForm.MatchString(s) {
			return nil, &problem{id: "number-format", want: "want a decimal number"}
		}
		return fhir.NewNumber(s), nil
	case "base64Binary":
		s := strings.Map(func(r rune) rune {
			if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
				return -1
			}
			return r
		}, text)
		if _, err := base64.StdEncoding.DecodeString(s); err != nil || s == "" {
			return nil, &problem{id: "base64-format", want: "want base64"}
		}
		return fhir.NewString(s), nil
	}
	s := fold.Text(text)
	var ok bool
	switch typ {
	case "id":
		ok = idForm.MatchString(s)
	case "code":
		ok = isCode(s)
	case "oid":
		ok = oidForm.MatchString(s)
	case "uuid":
		ok = uuidForm.MatchString(s)
	case "uri", "url", "canonical":
		ok = s != "" && !strings.ContainsFunc(s, unicode.IsSpace)
	default:
		ok = s != ""
	}
	if !ok {
		return nil, &problem{id: typ + "-format", want: "want " + article(typ)}
	}
	return fhir.NewString(s), nil
}

func date(typ, text string, o datetime.Options) (*fhir.Node, *problem) {
	v, err := datetime.Parse(text, o)
	if err != nil {
		return nil, &problem{id: "date-" + dateKind(err), want: err.Error()}
	}
	var s string
	ok := false
	switch typ {
	case "date":
		s, ok = v.Date()
	case "dateTime":
		s, ok = v.DateTime()
	default:
		if s, ok = v.Instant(); !ok && v.Given() {
			return nil, &problem{id: "date-precision", want: "want a date with a time of day"}
		}
	}
	if !ok {
		return nil, &problem{none: true, want: "want a date"}
	}
	return fhir.NewString(s), nil
}

func dateKind(err error) string {
	var e *datetime.Error
	if errors.As(err, &e) {
		return e.Kind.String()
	}
	return "format"
}

// clean makes a text fit for FHIR: no outer space, no control characters but tab and line breaks, line breaks as \n.
func clean(s string) string {
	s = strings.TrimSpace(s)
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r == 0xFEFF }) < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r == 0xFEFF:
			return -1
		}
		return r
	}, s))
}

// isCode reports whether s has the form of a code: no white space at its ends, and single ones inside.
func isCode(s string) bool {
	space := true
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\r', '\f':
			if space {
				return false
			}
			space = true
		default:
			space = false
		}
	}
	return !space
}
