package hl7v2_test

import (
	"strings"

	"github.com/yilian/yilian/mapping/record"
)

// shape writes the groups and segments of a tree on one line.
func shape(n *record.Node) string {
	var b strings.Builder
	for i, k := range n.Kids() {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(k.Name())
		if k.Kind() == record.Group {
			b.WriteString("(" + shape(k) + ")")
		}
	}
	return b.String()
}

// segmentsOf returns all segments below n in the order of the tree.
func segmentsOf(n *record.Node) []*record.Node {
	var out []*record.Node
	for _, k := range n.Kids() {
		if k.Kind() == record.Group {
			out = append(out, segmentsOf(k)...)
		} else {
			out = append(out, k)
		}
	}
	return out
}
