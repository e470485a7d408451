package search

import (
	"math"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// addComposites indexes the composite parameters that have index values of their
// own: one group for each element that has a value for every component.
func (x *indexer) addComposites(run *fhirpath.Run, t *typeParameters) {
	var env *fhirpath.Env
	var scratch []fhirpath.Value
	for _, p := range t.composites {
		x.group = 0
		for _, f := range p.composite.focuses {
			if f.param != p.code {
				continue
			}
			found, err := run.Evaluate(f.planned)
			if err != nil {
				x.failed(p, err)
				continue
			}
			if len(found) > 0 && env == nil {
				own := x.engine.env
				own.Resource = x.resource
				env = &own
			}
			for i := range found {
				if x.group == math.MaxUint16 {
					x.excess(p)
					break
				}
				x.group++
				before := x.sizes()
				for _, part := range f.parts {
					scratch, err = part.expr.Append(scratch[:0], env, found[i])
					if err != nil {
						x.failed(p, err)
						x.cutTo(before)
						break
					}
					x.param = part
					from := x.length(part.kind)
					for j := range scratch {
						x.add(&scratch[j], 0)
					}
					if x.length(part.kind) == from {
						x.cutTo(before) // nothing to be found by
						break
					}
					x.compact(part.kind, from)
				}
				after := x.sizes()
				for k := range after {
					x.count += after[k] - before[k]
				}
				if x.count > x.engine.opts.Limits.IndexValues {
					x.count = x.engine.opts.Limits.IndexValues
					x.cutTo(before)
					x.excess(p)
					break
				}
			}
		}
	}
	x.group = 0
}

// cutTo drops what was added since sizes were taken.
func (x *indexer) cutTo(sizes [7]int) {
	for i, n := range sizes {
		x.truncate(KindToken+Kind(i), n)
	}
}

// addPosition indexes a position on the globe for near.
func (x *indexer) addPosition(v *fhirpath.Value) {
	n := v.Node()
	latitude, ok := degrees(n.Get("latitude"), 90)
	longitude, ok2 := degrees(n.Get("longitude"), 180)
	if !ok || !ok2 {
		x.unreadable(n, "a position in degrees")
		return
	}
	x.group++
	for i, f := range []float64{latitude, longitude} {
		x.values.Numbers = append(x.values.Numbers, Number{Param: Component(x.param.code, i), Low: f, High: f, Group: x.group})
	}
	x.group = 0 // a Location has one position
}

func degrees(n *fhir.Node, most float64) (float64, bool) {
	d, ok := readDecimal(n.Text())
	return d.value, ok && math.Abs(d.value) <= most
}
