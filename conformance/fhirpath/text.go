package fhirpath

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// text are the functions of https://hl7.org/fhirpath/N1/#string-manipulation.
// Positions and lengths count characters, not bytes.
func text() map[string]function {
	all := map[string]function{
		"indexOf": onText(1, 1, Integer, func(_ *machine, s string, args []Value) (Value, bool, error) {
			part, err := textArg(args[0])
			return runeIndex(s, strings.Index(s, part)), true, err
		}),
		"lastIndexOf": onText(1, 1, Integer, func(_ *machine, s string, args []Value) (Value, bool, error) {
			part, err := textArg(args[0])
			return runeIndex(s, strings.LastIndex(s, part)), true, err
		}),
		"substring":  onText(1, 2, String, substring),
		"startsWith": textTest(strings.HasPrefix),
		"endsWith":   textTest(strings.HasSuffix),
		"contains":   textTest(strings.Contains),
		"upper":      textMap(strings.ToUpper),
		"lower":      textMap(strings.ToLower),
		"trim":       textMap(strings.TrimSpace),
		"length": onText(0, 0, Integer, func(_ *machine, s string, _ []Value) (Value, bool, error) {
			return intValue(int64(utf8.RuneCountInString(s))), true, nil
		}),
		"replace": onText(2, 2, String, func(m *machine, s string, args []Value) (Value, bool, error) {
			pattern, err := textArg(args[0])
			if err != nil {
				return Value{}, false, err
			}
			by, err := textArg(args[1])
			if err != nil {
				return Value{}, false, err
			}
			if err := m.write(len(s) + (strings.Count(s, pattern)+1)*len(by)); err != nil {
				return Value{}, false, err
			}
			return stringValue(strings.ReplaceAll(s, pattern, by)), true, nil
		}),
		"matches":        onText(1, 2, Boolean, matching("(?s:", ")")),
		"matchesFull":    onText(1, 2, Boolean, matching(`(?s:\A(?:`, `)\z)`)),
		"replaceMatches": onText(2, 3, String, replaceMatches),
		"encode":         onText(1, 1, String, encoding(encode)),
		"decode":         onText(1, 1, String, encoding(decode)),
		"escape":         onText(1, 1, String, encoding(escape)),
		"unescape":       onText(1, 1, String, encoding(unescape)),
		"toChars": manyTexts(0, func(s, _ string) []string {
			out := make([]string, 0, len(s))
			for _, r := range s {
				out = append(out, string(r))
			}
			return out
		}),
		"split": manyTexts(1, strings.Split),
		"join":  {0, 1, join},
	}
	return all
}

// onText is a function of a String.
func onText(min, max int, out Kind, run func(m *machine, s string, args []Value) (Value, bool, error)) function {
	return scalar(min, max, kindStatic(out), func(m *machine, v Value, args []Value) (Value, bool, error) {
		if v.kind != String {
			return Value{}, false, failure("expected a String, got {1}", v.kind.String())
		}
		if err := m.spend(1 + len(v.text)/64); err != nil {
			return Value{}, false, err
		}
		return run(m, v.text, args)
	})
}

func textTest(test func(s, part string) bool) function {
	return onText(1, 1, Boolean, func(_ *machine, s string, args []Value) (Value, bool, error) {
		part, err := textArg(args[0])
		return boolValue(test(s, part)), true, err
	})
}

func textMap(change func(string) string) function {
	return onText(0, 0, String, func(m *machine, s string, _ []Value) (Value, bool, error) {
		return stringValue(change(s)), true, m.write(len(s))
	})
}

func runeIndex(s string, i int) Value {
	if i < 0 {
		return intValue(-1)
	}
	return intValue(int64(utf8.RuneCountInString(s[:i])))
}

func substring(_ *machine, s string, args []Value) (Value, bool, error) {
	start, err := intArg(args[0])
	if err != nil {
		return Value{}, false, err
	}
	length := int64(len(s))
	if len(args) == 2 {
		if length, err = intArg(args[1]); err != nil {
			return Value{}, false, err
		}
	}
	if start < 0 || start >= int64(utf8.RuneCountInString(s)) {
		return Value{}, false, nil
	}
	for range start {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	end := 0
	for i := int64(0); i < length && end < len(s); i++ {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return stringValue(s[:end]), true, nil
}

// patterns remembers compiled regular expressions; it is emptied when full,
// because expressions can be made from data.
var patterns struct {
	sync.RWMutex
	compiled map[string]*regexp.Regexp
}

// Bounds on regular expressions.
const (
	maxPatterns      = 512
	maxPatternLength = 4096
)

func compilePattern(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPatternLength {
		return nil, overLimit("regular expression is too long")
	}
	patterns.RLock()
	re := patterns.compiled[pattern]
	patterns.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, failure("no regular expression")
	}
	patterns.Lock()
	defer patterns.Unlock()
	if patterns.compiled == nil || len(patterns.compiled) >= maxPatterns {
		patterns.compiled = map[string]*regexp.Regexp{}
	}
	patterns.compiled[pattern] = re
	return re, nil
}

// flagged reads the optional flags argument: i, m, s and x as in PCRE, of which
// s is always on.
func flagged(pattern string, args []Value) (string, error) {
	if len(args) == 0 {
		return pattern, nil
	}
	flags, err := textArg(args[0])
	if err != nil {
		return "", err
	}
	for _, f := range flags {
		if !strings.ContainsRune("ims", f) {
			return "", failure("unknown flag of a regular expression")
		}
	}
	if flags = strings.ReplaceAll(flags, "s", ""); flags != "" {
		pattern = "(?" + flags + ":" + pattern + ")"
	}
	return pattern, nil
}

func matching(before, after string) func(m *machine, s string, args []Value) (Value, bool, error) {
	return func(_ *machine, s string, args []Value) (Value, bool, error) {
		pattern, err := textArg(args[0])
		if err != nil {
			return Value{}, false, err
		}
		if pattern, err = flagged(pattern, args[1:]); err != nil {
			return Value{}, false, err
		}
		re, err := compilePattern(before + pattern + after)
		if err != nil {
			return Value{}, false, err
		}
		return boolValue(re.MatchString(s)), true, nil
	}
}

func replaceMatches(m *machine, s string, args []Value) (Value, bool, error) {
	pattern, err := textArg(args[0])
	if err != nil {
		return Value{}, false, err
	}
	by, err := textArg(args[1])
	if err != nil {
		return Value{}, false, err
	}
	if pattern == "" {
		return stringValue(s), true, nil
	}
	if pattern, err = flagged(pattern, args[2:]); err != nil {
		return Value{}, false, err
	}
	re, err := compilePattern("(?s:" + pattern + ")")
	if err != nil {
		return Value{}, false, err
	}
	// $1a means group 1, then a; regexp would read a group named 1a.
	by = groupReference.ReplaceAllString(by, "$${$1}")
	if err := m.write(len(s) + (len(s)+1)*len(by)); err != nil {
		return Value{}, false, err
	}
	return stringValue(re.ReplaceAllString(s, by)), true, nil
}

var groupReference = regexp.MustCompile(`\$([0-9]+)`)

func manyTexts(args int, run func(s, arg string) []string) function {
	return function{args, args, func(c *compiler, e *expr, _ static) (code, static, error) {
		arg, _, err := c.argument(e, 0)
		return func(m *machine, focus []Value) error {
			v, ok, err := single(focus)
			if err != nil || !ok {
				return err
			}
			s, ok := v.system()
			if !ok && v.hasSystem() {
				return nil
			}
			if !ok || s.kind != String {
				return failure("expected a String")
			}
			var by string
			if arg != nil {
				a, ok, err := m.one(arg)
				if err != nil || !ok {
					return err
				}
				if a, ok = a.system(); !ok || a.kind != String {
					return failure("expected a String argument")
				}
				by = a.text
			}
			if err := m.spend(len(s.text)); err != nil {
				return err
			}
			for _, part := range run(s.text, by) {
				m.push(stringValue(part))
			}
			return nil
		}, kindStatic(String).asMany(), err
	}}
}

func join(c *compiler, e *expr, _ static) (code, static, error) {
	arg, _, err := c.argument(e, 0)
	return func(m *machine, focus []Value) error {
		separator := ""
		if arg != nil {
			a, ok, err := m.one(arg)
			if err != nil || !ok {
				return err
			}
			if a, ok = a.system(); !ok || a.kind != String {
				return failure("expected a String argument")
			}
			separator = a.text
		}
		if len(focus) == 0 {
			return nil
		}
		var b strings.Builder
		first := true
		for i := range focus {
			s, ok := focus[i].system()
			if !ok && focus[i].hasSystem() {
				continue
			}
			if !ok || s.kind != String {
				return failure("expected Strings")
			}
			if !first {
				b.WriteString(separator)
			}
			first = false
			if err := m.write(len(s.text) + len(separator)); err != nil {
				return err
			}
			b.WriteString(s.text)
		}
		m.push(stringValue(b.String()))
		return nil
	}, kindStatic(String), err
}

func encoding(convert func(s, format string) (string, bool)) func(m *machine, s string, args []Value) (Value, bool, error) {
	return func(m *machine, s string, args []Value) (Value, bool, error) {
		format, err := textArg(args[0])
		if err != nil {
			return Value{}, false, err
		}
		out, ok := convert(s, format)
		return stringValue(out), ok, m.write(len(out))
	}
}

func encode(s, format string) (string, bool) {
	switch format {
	case "hex":
		return hex.EncodeToString([]byte(s)), true
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(s)), true
	case "urlbase64":
		return base64.URLEncoding.EncodeToString([]byte(s)), true
	}
	return "", false
}

func decode(s, format string) (string, bool) {
	var out []byte
	var err error
	switch format {
	case "hex":
		out, err = hex.DecodeString(s)
	case "base64":
		out, err = base64.StdEncoding.DecodeString(s)
	case "urlbase64":
		out, err = base64.URLEncoding.DecodeString(s)
	default:
		return "", false
	}
	return string(out), err == nil && utf8.Valid(out)
}

var (
	htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")
	jsonEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`)
	jsonReader  = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\/`, "/", `\n`, "\n", `\r`, "\r", `\t`, "\t", `\f`, "\f", `\b`, "\b")
)

func escape(s, format string) (string, bool) {
	switch format {
	case "html":
		return htmlEscaper.Replace(s), true
	case "json":
		return jsonEscaper.Replace(s), true
	}
	return "", false
}

func unescape(s, format string) (string, bool) {
	switch format {
	case "html":
		return html.UnescapeString(s), true
	case "json":
		return jsonReader.Replace(s), true
	}
	return "", false
}
