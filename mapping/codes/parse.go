package codes

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping/fold"
)

// Limits of a table's file. A larger one is refused.
const (
	MaxTableBytes = 32 << 20
	MaxTableRows  = 200_000
	MaxProblems   = 100 // more are not reported
	MaxCodeLength = 200 // characters of a code, an alias or a target
)

// TableOptions are what the reader of a file knows about it.
type TableOptions struct {
	File     string // the name in problems; default NAME.csv
	Source   string // URI of the institution's own code system, unless the file declares one; see LocalSystem
	Unmapped Policy // unless the file declares one
}

// LocalSystem returns the URI of the code system of an institution's own codes in one table.
// base is the alliance's base URI, https://yilian.dev by default.
func LocalSystem(base, institution, table string) string {
	if base == "" {
		base = "https://yilian.dev"
	}
	return strings.TrimRight(base, "/") + "/fhir/institution/" + institution + "/codes/" + table
}

// ParseTable reads the CSV of a table; see the package comment for its form. With any problem there is no table.
// The error is of the reader r only.
func ParseTable(name string, r io.Reader, o TableOptions) (*Table, []Problem, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxTableBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read code table: %w", err)
	}
	if o.File == "" {
		o.File = name + ".csv"
	}
	p := tableParser{file: o.File, t: &Table{name: name, source: o.Source, unmapped: o.Unmapped}}
	p.parse(data)
	if len(p.problems) > 0 {
		return nil, p.problems, nil
	}
	return p.t, nil, nil
}

type tableParser struct {
	file     string
	lines    [][]byte
	t        *Table
	system   string // the directive
	fallback string // code of the policy Default
	at       map[string]int32
	columns  []string
	problems []Problem
}

var columns = []string{"code", "display", "aliases", "target", "system", "target_display", "equivalence", "preferred",
	"status", "comment"}

// equivalences are the codes of http://hl7.org/fhir/concept-map-equivalence.
var equivalences = []string{"relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact",
	"unmatched", "disjoint"}

func (p *tableParser) problem(line, column int, format string, args ...any) {
	if len(p.problems) < MaxProblems {
		p.problems = append(p.problems, Problem{p.file, line, column, fmt.Sprintf(format, args...)})
	}
}

func (p *tableParser) parse(data []byte) {
	if !nameOK(p.t.name) {
		p.problem(1, 1, "table name: want 1 to 64 letters, digits, dots and hyphens")
	}
	if len(data) > MaxTableBytes {
		p.problem(1, 1, "file is larger than %d bytes", MaxTableBytes)
		return
	}
	sum := sha256.Sum256(data)
	p.t.hash = hex.EncodeToString(sum[:])
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	p.lines = bytes.Split(data, []byte("\n"))
	if !p.utf8() {
		return
	}
	p.directives()
	p.rows(data)
	p.finish()
}

func (p *tableParser) utf8() bool {
	for i, line := range p.lines {
		if utf8.Valid(line) {
			continue
		}
		n := 0
		for len(line) > 0 {
			r, size := utf8.DecodeRune(line)
			if r == utf8.RuneError && size == 1 {
				break
			}
			line, n = line[size:], n+1
		}
		p.problem(i+1, n+1, "bytes that are not UTF-8: save the file as UTF-8")
		return false
	}
	return true
}

// directives reads the #! lines before the header.
func (p *tableParser) directives() {
	header := false
	seen := map[string]bool{}
	for i, raw := range p.lines {
		line := strings.TrimSpace(string(raw))
		if !strings.HasPrefix(line, "#!") {
			header = header || line != "" && line[0] != '#'
			continue
		}
		key, value, ok := strings.Cut(line[2:], ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case header:
			p.problem(i+1, 1, "directive after the header row: move it to the top")
			continue
		case !ok || value == "":
			p.problem(i+1, 1, "directive: want #! key: value")
			continue
		case seen[key]:
			p.problem(i+1, 1, "directive %q stands twice", key)
			continue
		}
		seen[key] = true
		p.directive(i+1, key, value)
	}
}

func (p *tableParser) directive(line int, key, value string) {
	switch key {
	case "title":
		p.t.title = value
	case "description":
		p.t.description = value
	case "version":
		p.t.version = value
	case "source", "system":
		if !uri(value) {
			p.problem(line, 1, "directive %q: want an absolute URI", key)
			return
		}
		if key == "source" {
			p.t.source = value
		} else {
			p.system = value
		}
	case "unmapped":
		word, rest, _ := strings.Cut(value, " ")
		rest = strings.TrimSpace(rest)
		switch {
		case word == "keep" && rest == "":
			p.t.unmapped = Keep
		case word == "reject" && rest == "":
			p.t.unmapped = Reject
		case word == "default" && code(rest):
			p.t.unmapped, p.fallback = Default, rest
		default:
			p.problem(line, 1, "directive \"unmapped\": want keep, reject, or default CODE")
		}
	default:
		p.problem(line, 1, "unknown directive %q: want title, description, version, source, system or unmapped", key)
	}
}

func (p *tableParser) rows(data []byte) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	r.FieldsPerRecord = -1
	p.at = map[string]int32{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				p.problem(pe.Line, p.column(pe.Line, pe.Column), "%v", pe.Err)
			}
			return
		}
		if p.columns == nil {
			if !p.header(record, r) {
				return
			}
			continue
		}
		if len(p.t.entries) == MaxTableRows {
			line, _ := r.FieldPos(0)
			p.problem(line, 1, "more than %d rows", MaxTableRows)
			return
		}
		p.row(record, r)
	}
	if p.columns == nil {
		p.problem(1, 1, "no header row: want columns %s", strings.Join(columns, ","))
	}
}

func (p *tableParser) header(record []string, r *csv.Reader) bool {
	for i, c := range record {
		c = strings.TrimSpace(c)
		line, col := p.pos(r, i)
		switch {
		case !slices.Contains(columns, c):
			p.problem(line, col, "unknown column %q: want %s", c, strings.Join(columns, ", "))
		case slices.Contains(p.columns, c):
			p.problem(line, col, "column %q stands twice", c)
		}
		p.columns = append(p.columns, c)
	}
	line, _ := r.FieldPos(0)
	for _, c := range []string{"code", "target"} {
		if !slices.Contains(p.columns, c) {
			p.problem(line, 1, "no column %q", c)
		}
	}
	return len(p.problems) == 0
}

func (p *tableParser) row(record []string, r *csv.Reader) {
	line, _ := r.FieldPos(0)
	if len(record) != len(p.columns) {
		p.problem(line, 1, "%d fields, but the header has %d columns", len(record), len(p.columns))
		return
	}
	e := Entry{Equivalence: "equivalent", Line: line, Target: Coding{System: p.system}}
	var aliases string
	pos := map[string]int{}
	for i, name := range p.columns {
		v := strings.TrimSpace(record[i])
		pos[name] = i
		switch name {
		case "code":
			e.Code = v
		case "display":
			e.Display = v
		case "aliases":
			aliases = v
		case "target":
			e.Target.Code = v
		case "target_display":
			e.Target.Display = v
		case "system":
			if v != "" {
				e.Target.System = v
			}
		case "equivalence":
			if v != "" {
				e.Equivalence = v
			}
		case "comment":
			e.Comment = v
		case "preferred":
			e.Preferred = v == "yes"
			if v != "" && v != "yes" {
				p.bad(r, i, "preferred: want yes or nothing")
			}
		case "status":
			e.Deprecated = v == "deprecated"
			if v != "" && v != "active" && v != "deprecated" {
				p.bad(r, i, "status: want active or deprecated")
			}
		}
	}
	p.checkCode(&e, r, pos)
	p.checkTarget(&e, r, pos)
	if aliases != "" {
		for _, a := range strings.Split(aliases, "|") {
			if a = strings.TrimSpace(a); code(a) {
				e.Aliases = append(e.Aliases, a)
			} else {
				p.bad(r, pos["aliases"], "aliases: want codes separated by |")
			}
		}
	}
	p.t.entries = append(p.t.entries, e)
}

func (p *tableParser) checkCode(e *Entry, r *csv.Reader, pos map[string]int) {
	if !code(e.Code) {
		p.bad(r, pos["code"], "code: want 1 to %d characters with single spaces inside", MaxCodeLength)
		return
	}
	if prior, ok := p.at[e.Code]; ok {
		p.bad(r, pos["code"], "code %q stands in line %d already", e.Code, p.t.entries[prior].Line)
	} else {
		p.at[e.Code] = int32(len(p.t.entries))
	}
}

func (p *tableParser) checkTarget(e *Entry, r *csv.Reader, pos map[string]int) {
	at := pos["target"]
	switch {
	case !slices.Contains(equivalences, e.Equivalence):
		p.bad(r, pos["equivalence"], "equivalence %q: want %s", e.Equivalence, strings.Join(equivalences, ", "))
	case e.Equivalence == "unmatched":
		if e.Target.Code != "" {
			p.bad(r, at, "target: want none with the equivalence unmatched")
		}
		e.Target = Coding{}
		return
	case e.Target.Code == "":
		p.bad(r, at, "no target: want a code, or the equivalence unmatched")
		return
	case (e.Equivalence == "narrower" || e.Equivalence == "inexact") && e.Comment == "":
		p.bad(r, pos["equivalence"], "equivalence %s: want a comment that says how the two differ", e.Equivalence)
	}
	if e.Target.Display == "" && e.Target.Code == e.Code && e.Target.System == p.t.source {
		e.Target.Display = e.Display // a table of a system onto itself names each code once
	}
	if e.Target.Code != "" && !code(e.Target.Code) {
		p.bad(r, at, "target: want 1 to %d characters with single spaces inside", MaxCodeLength)
	}
	if i, own := pos["system"]; e.Target.System == "" {
		p.bad(r, at, "target without a system: want the column or the directive \"system\"")
	} else if !uri(e.Target.System) {
		if !own {
			i = at
		}
		p.bad(r, i, "system: want an absolute URI")
	}
}

// finish checks what needs all rows.
func (p *tableParser) finish() {
	t := p.t
	if t.title == "" {
		t.title = t.name
	}
	if t.version == "" {
		t.version = t.hash[:12]
	}
	owners := map[string]int32{}
	for i := range t.entries {
		for _, a := range t.entries[i].Aliases {
			key := fold.Key(a)
			if prior, ok := owners[key]; ok && prior != int32(i) {
				p.problem(t.entries[i].Line, 1, "alias %q stands in line %d already", a, t.entries[prior].Line)
			}
			if prior, ok := p.at[a]; ok && prior != int32(i) {
				p.problem(t.entries[i].Line, 1, "alias %q is the code of line %d", a, t.entries[prior].Line)
			}
			owners[key] = int32(i)
		}
	}
	if p.fallback != "" {
		t.fallback = Coding{System: p.system, Code: p.fallback}
		for i := range t.entries {
			if c := t.entries[i].Target; c.Code == p.fallback && (p.system == "" || c.System == p.system) {
				t.fallback = c
				break
			}
		}
		if t.fallback.System == "" {
			p.problem(1, 1, "default of the directive \"unmapped\" without a system: want the directive \"system\"")
		}
	}
	if len(p.problems) == 0 {
		t.index()
	}
}

// bad reports a problem with one field.
func (p *tableParser) bad(r *csv.Reader, field int, format string, args ...any) {
	line, col := p.pos(r, field)
	p.problem(line, col, format, args...)
}

func (p *tableParser) pos(r *csv.Reader, field int) (line, column int) {
	line, column = r.FieldPos(field)
	return line, p.column(line, column)
}

// column turns a column in bytes into one in characters, as editors count.
func (p *tableParser) column(line, column int) int {
	if line < 1 || line > len(p.lines) {
		return column
	}
	text := p.lines[line-1]
	return utf8.RuneCount(text[:min(max(column-1, 0), len(text))]) + 1
}

// code reports whether s is a FHIR code: no outer space, single inner spaces, no control characters.
func code(s string) bool {
	if s == "" || len(s) > 4*MaxCodeLength || utf8.RuneCountInString(s) > MaxCodeLength || s != strings.TrimSpace(s) ||
		strings.Contains(s, "  ") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7F {
			return false
		}
	}
	return true
}

func uri(s string) bool {
	for _, scheme := range [...]string{"http://", "https://", "urn:"} {
		if strings.HasPrefix(s, scheme) && len(s) > len(scheme) {
			return !strings.ContainsAny(s, " \t<>\"")
		}
	}
	return false
}

func nameOK(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}
