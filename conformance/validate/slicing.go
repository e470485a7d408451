package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// slicing says how repetitions of an element are told apart.
type slicing struct {
	by      []discriminator
	rules   string // open, closed, openAtEnd
	ordered bool
}

type discriminator struct {
	kind  string // value, pattern, exists, type, profile
	path  string
	steps []pathStep
	run   *fhirpath.Expression // nil for $this
	err   error
}

// pathStep is one step of a discriminator's path.
type pathStep struct {
	name string // of a child; empty for a function
	call string // resolve, ofType, extension
	arg  string
}

func (v *Validator) readSlicing(n *fhir.Node) *slicing {
	s := &slicing{rules: n.Get("rules").Text(), ordered: n.Get("ordered").Text() == "true"}
	for _, d := range n.Get("discriminator").Items() {
		k := discriminator{kind: d.Get("type").Text(), path: d.Get("path").Text()}
		if k.path != "$this" && k.path != "" {
			k.steps = splitPath(k.path)
			if k.steps == nil || len(k.path) > maxExpression {
				k.err = flawed("the path of the discriminator is not one")
			} else {
				k.run, k.err = v.model.Compile(k.path, fhirpath.Options{Lenient: true})
			}
		}
		s.by = append(s.by, k)
	}
	return s
}

// sliced sorts items into slices, counts them, and judges each by its slice.
func (r *run) sliced(p *profile, s *shape, items []item, parent *fhir.Node) {
	counts := make([]int, len(s.slices))
	last, outside := -1, false
	undecided := map[int]bool{}
	for i := range items {
		it := &items[i]
		r.push(it.name, it.index)
		hit := -1
		for k, slice := range s.slices {
			ok, err := r.matches(s.slicing, slice, it)
			if err != nil && !undecided[k] {
				undecided[k] = true
				r.report(parent, fhir.Warning, msgSliceUndecidable, slice.label, p.url, err)
			}
			if ok {
				hit = k
				break
			}
		}
		switch {
		case hit < 0:
			outside = true
			switch {
			case len(undecided) > 0:
			case s.slicing.rules == "closed":
				r.fail(it.node(), msgSliceUnknown, p.url)
			case s.informs(p):
				r.report(it.node(), fhir.Information, msgSliceNone, p.url)
			}
		default:
			if s.slicing.ordered && hit < last {
				r.fail(it.node(), msgSliceOrder, p.url)
			}
			if outside && s.slicing.rules == "openAtEnd" {
				r.fail(it.node(), msgSliceEnd, p.url)
			}
			last = max(last, hit)
			counts[hit]++
		}
		r.pop()
		if hit >= 0 {
			items[i].hits = append(items[i].hits, s.slices[hit])
		}
	}
	for k, slice := range s.slices {
		if undecided[k] {
			continue
		}
		var in []item
		for _, it := range items {
			if len(it.hits) > 0 && it.hits[len(it.hits)-1] == slice {
				it.hits = nil
				in = append(in, it)
			}
		}
		if counts[k] < slice.min {
			r.fail(parent, msgSliceMissing, slice.label, p.url)
		}
		if slice.max >= 0 && counts[k] > slice.max {
			r.fail(parent, msgSliceTooMany, slice.label, itoa(slice.max), p.url)
		}
		r.group(p, slice, in, parent, false)
	}
}

// informs reports whether an item in no slice is worth a word. Slices of the
// profiles of FHIR itself name what must be there, and expect more.
func (s *shape) informs(p *profile) bool {
	return s.slicing.rules == "open" && (s.name == "extension" || !strings.HasPrefix(p.url, core))
}
