package mapping

import (
	"maps"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// table returns the code table that n names, one of the folder or a built-in one; nil after a finding.
func (l *loader) table(inst *Institution, n *syntax.Node) *codes.Table {
	name := l.text(n, "the name of a code table")
	if name == "" {
		return nil
	}
	if t := inst.tables[name]; t != nil {
		if t == brokenTable {
			return nil
		}
		return t
	}
	if t, ok := codes.Builtin(name); ok {
		return t
	}
	names := slices.Collect(maps.Keys(inst.tables))
	slices.Sort(names)
	if near := nearest(name, append(slices.Clone(names), codes.BuiltinNames()...)); near != "" {
		l.errorf(n.Position, "there is no code table %q; did you mean %s?", name, near)
	} else {
		l.errorf(n.Position, "there is no code table %q; want codes/%s.csv or a built-in one", name, name)
	}
	return nil
}

// policy applies unmapped: to a table.
func (c *compiler) policy(n *syntax.Node, t *codes.Table) *codes.Table {
	u := n.Get("unmapped")
	if u == nil || t == nil {
		return t
	}
	text := c.text(u, "keep, reject or default")
	word, code, _ := strings.Cut(text, " ")
	switch {
	case text == "keep":
		return t.WithUnmapped(codes.Keep, codes.Coding{})
	case text == "reject":
		return t.WithUnmapped(codes.Reject, codes.Coding{})
	case word == "default":
		_, fallback := t.Unmapped()
		if code = strings.TrimSpace(code); code != "" {
			fallback = codes.Coding{}
			for _, e := range t.Entries() {
				if e.Target.Code == code {
					fallback = e.Target
				}
			}
		}
		if fallback.Code == "" {
			c.errorf(u.Position, "no default: want default CODE with a target of table %s", t.Name())
			return t
		}
		return t.WithUnmapped(codes.Default, fallback)
	case text != "":
		c.errorf(u.Position, "unmapped: %q; want keep, reject or default CODE", text)
	}
	return t
}

// unmapped says that a table has no translation for a code.
func (r *run) unmapped(table string, tr codes.Translation, printed, expression string, at *record.Node) {
	r.noteUnmapped(table, tr, printed, at)
	switch {
	case tr.Found():
		return // the table knows it, and that it has no target
	case tr.Policy == codes.Reject:
		r.issue(fhir.Error, fhir.TypeCodeInvalid, "code-rejected", expression, at, "the code is not in table "+table+", which rejects unknown codes")
	default:
		r.issue(fhir.Warning, fhir.TypeCodeInvalid, "code-unmapped", expression, at, "the code is not in table "+table)
	}
}

// checkTable checks that what a table can give is legal where the element has a required binding.
func (c *compiler) checkTable(n *syntax.Node, t *target, table *codes.Table) {
	vs := c.required(t)
	if vs == nil {
		return
	}
	isCode := c.defs.KindOf(t.typ) == definitions.Primitive
	check := func(target codes.Coding, line int) {
		if target.Code == "" {
			return
		}
		m := vs.Has(target.System, target.Code)
		if isCode {
			m = vs.HasCode(target.Code)
		}
		if m != definitions.NotMember {
			return
		}
		at := n.Position
		if c.inst.tables[table.Name()] != nil && line > 0 {
			at = syntax.Position{File: "codes/" + table.Name() + ".csv", Line: line, Column: 1}
		}
		c.errorf(at, "code %q of table %s is not allowed in %s; want %s", target.Code, table.Name(), t.path, some(vs))
	}
	for _, e := range table.Entries() {
		check(e.Target, e.Line)
	}
	if p, fallback := table.Unmapped(); p == codes.Default {
		check(fallback, 0)
	}
}

// checkCode checks a literal code against a required binding.
func (c *compiler) checkCode(at syntax.Position, t *target, system, code string) {
	if t.typ == "Coding" && t.owner != nil {
		return // bound by the CodeableConcept around it, which is checked as a whole elsewhere
	}
	vs := c.required(t)
	if vs == nil {
		return
	}
	m := vs.HasCode(code)
	if system != "" {
		m = vs.Has(system, code)
	}
	if m == definitions.NotMember {
		c.errorf(at, "code %q is not allowed in %s; %s", code, t.path, suggest(code, vs))
	}
}

// required is the value set that the target's codes must be in; nil when there is no required binding that is enumerated.
func (c *compiler) required(t *target) *definitions.ValueSet {
	if t.elem == nil || t.elem.Binding == nil || t.elem.Binding.Strength != definitions.BindingRequired {
		return nil
	}
	if t.prop == nil || t.typ == "Element" {
		return nil
	}
	return c.defs.ValueSet(t.elem.Binding.ValueSet)
}

func some(vs *definitions.ValueSet) string {
	var out []string
	for _, c := range vs.Concepts() {
		if len(out) == 8 {
			out = append(out, "…")
			break
		}
		out = append(out, c.Code)
	}
	return strings.Join(out, ", ")
}

func suggest(code string, vs *definitions.ValueSet) string {
	var all []string
	for _, c := range vs.Concepts() {
		all = append(all, c.Code)
	}
	if near := nearest(code, all); near != "" {
		return "did you mean " + near + "?"
	}
	return "want " + some(vs)
}
