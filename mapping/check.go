package mapping

import (
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
	default:
		if isField {
			c.errorf(n.Position, "path %q reads an HL7 v2 field, but the map reads %s; names with signs in them stand in double quotes", p, c.m.format)
		}
	}
}
