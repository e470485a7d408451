package mapping

import (
	"slices"

	"github.com/yilian/yilian/mapping/hl7v2"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/path"
	"github.com/yilian/yilian/mapping/record"
)

// checkPath reports a path that cannot exist in the map's format.
func (c *compiler) checkPath(n *syntax.Node, p *path.Path) {
	segment, field, isField := p.Segment()
	switch c.m.format {
	case record.HL7v2:
		if isField {
			parts := append(p.Components(), 0, 0)
			if _, err := hl7v2.Describe(segment, field, parts[0], parts[1]); err != nil {
				c.errorf(n.Position, "path %q: %s", p, err)
			}
		}
		c.checkSelectors(n, p)
	default:
		if isField {
			c.errorf(n.Position, "path %q reads an HL7 v2 field, but the map reads %s; names with signs in them stand in double quotes", p, c.m.format)
		} else if names := p.Names(); record.Tabular(c.m.format) && (len(names) > 1 || len(names) == 1 && p.Selective()) {
			c.checkJoin(n, names[0])
		}
		for _, s := range p.Selectors() {
			if _, _, ok := s.Path.Segment(); ok {
				c.errorf(n.Position, "path %q reads an HL7 v2 field, but the map reads %s; names with signs in them stand in double quotes", p, c.m.format)
			}
		}
	}
}

// checkSelectors reports a selector of an HL7 v2 path that looks at what cannot exist: PID-3[.15='MR'].
func (c *compiler) checkSelectors(n *syntax.Node, p *path.Path) {
	for _, s := range p.Selectors() {
		segment, field, named := s.Path.Segment()
		parts := s.Path.Components()
		if !named && s.Path.Name() == "" {
			if segment, field = s.Segment, s.Field; field == 0 && len(parts) > 0 {
				field, parts = parts[0], parts[1:]
			}
		}
		if field == 0 {
			continue
		}
		parts = append(parts, 0, 0)
		if _, err := hl7v2.Describe(segment, field, parts[0], parts[1]); err != nil {
			c.errorf(n.Position, "path %q: %s", p, err)
		}
	}
}

// checkJoin reports a name that must be that of joined rows and is not. Columns are not known until a file comes.
func (c *compiler) checkJoin(n *syntax.Node, name string) {
	if known := joinNames(c.m.join); !slices.Contains(known, name) {
		c.errorf(n.Position, "there is no join %q; %s", name, oneOf(name, known))
	}
}

func joinNames(joins []Join) []string {
	var out []string
	for _, j := range joins {
		out = append(append(out, j.Name), joinNames(j.Joins)...)
	}
	return out
}

// checkEach reports an each: over what cannot repeat: a column.
func (c *compiler) checkEach(n *syntax.Node, o *operand) {
	if o == nil || !record.Tabular(c.m.format) {
		return
	}
	if o.first != nil || o.path == nil || o.slot >= 0 {
		return
	}
	if names := o.path.Names(); len(names) == 1 {
		c.checkJoin(n, names[0])
	}
}
