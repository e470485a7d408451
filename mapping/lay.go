package mapping

import (
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
)

// settle completes Cleared: in Replace everything the rule could have made goes, names that were made do not.
func (res *Resource) settle(rule *rule) {
	if rule.write == Replace {
		res.Cleared = make([]string, 0, len(rule.makeable))
		for _, n := range rule.makeable {
			if res.Tree.Get(n) == nil {
				res.Cleared = append(res.Cleared, n)
			}
		}
		return
	}
	if len(res.Cleared) == 0 {
		return
	}
	slices.Sort(res.Cleared)
	res.Cleared = slices.DeleteFunc(slices.Compact(res.Cleared), func(n string) bool { return res.Tree.Get(n) != nil })
}

// Over returns what is to be stored when the resource is there already: a new tree in which the record's resource is laid
// over the stored one, as §4 of README.md says. A nil stored one gives a copy of the resource's own tree.
func (res *Resource) Over(stored *fhir.Node) *fhir.Node {
	if stored == nil {
		return res.Tree.Clone()
	}
	out := stored.Clone()
	if res.Write == Reference {
		return out
	}
	if res.Write == Merge {
		res.fill(out, res.Tree)
		return out
	}
	for _, name := range res.Cleared {
		out.Remove(name)
		out.Remove("_" + name)
	}
	for _, n := range res.Tree.All() {
		if n.Name() == "meta" && out.Get("meta") != nil {
			continue
		}
		v := n.Clone()
		for _, item := range stored.Get(n.Name()).Items() {
			slot := slotOf(n.Name(), item)
			if slices.Contains(res.kept[n.Name()], slot) && !slices.ContainsFunc(v.Items(), func(k *fhir.Node) bool { return slotOf(n.Name(), k) == slot }) {
				v.Append(item.Clone())
			}
		}
		res.place(out, n.Name(), v)
	}
	return res.unless(out, stored)
}

// keep notes slots of a list that stay when the resource is laid over a stored one.
func (res *Resource) keep(name string, slots []string) {
	if len(slots) == 0 {
		return
	}
	if res.kept == nil {
		res.kept = map[string][]string{}
	}
	res.kept[name] = append(res.kept[name], slots...)
}

// slotOf is what an item of a list is known by: of an identifier its system, of an extension its url.
func slotOf(list string, item *fhir.Node) string {
	if list == "extension" {
		return item.Get("url").Text()
	}
	return item.Get("system").Text()
}

// fill adds to out what it does not have; of identifiers, those of systems it does not have.
func (res *Resource) fill(out, from *fhir.Node) {
	for _, n := range from.All() {
		name := n.Name()
		if out.Get(name) == nil && !res.chosen(out, name) {
			res.place(out, name, n.Clone())
			continue
		}
		if name == "identifier" && out.Get(name).Kind() == fhir.Array {
			have := out.Get(name)
			for _, id := range n.Items() {
				system := id.Get("system").Text()
				if !slices.ContainsFunc(have.Items(), func(h *fhir.Node) bool {
					return h.Get("system").Text() == system && (system != "" || h.Get("value").Text() == id.Get("value").Text())
				}) {
					have.Append(id.Clone())
				}
			}
		}
	}
}

// chosen reports whether out has another name of the same choice element.
func (res *Resource) chosen(out *fhir.Node, name string) bool {
	choice := res.kind.choiceOf(name)
	if choice == "" {
		return false
	}
	for _, n := range out.All() {
		if res.kind.choiceOf(n.Name()) == choice {
			return true
		}
	}
	return false
}

// place sets a property at its place in FHIR's order.
func (res *Resource) place(out *fhir.Node, name string, v *fhir.Node) {
	if out.Get(name) != nil {
		out.Set(name, v)
		return
	}
	var behind []*fhir.Node
	for i := out.Len() - 1; i >= 0; i-- {
		k := out.At(i)
		if res.kind.before(k.Name(), name) {
			break
		}
		behind = append(behind, k)
		out.RemoveAt(i)
	}
	out.Set(name, v)
	for _, k := range slices.Backward(behind) {
		out.Set(k.Name(), k)
	}
}

// join makes one resource of two that a record gives for the same id. The stronger way of writing wins, what it leaves open the
// other fills.
func (r *run) join(first, second *Resource) {
	if second.Write < first.Write {
		*first, *second = *second, *first
	}
	if first.Write == Reference {
		if first.Identifier == nil {
			first.Identifier = second.Identifier
		}
		first.fill(first.Tree, second.Tree)
		return
	}
	if second.Write != Reference {
		for _, name := range second.quiet {
			if first.Tree.Get(name) == nil {
				first.quiet = append(first.quiet, name)
			}
		}
		first.fill(first.Tree, second.Tree)
		first.Cleared = slices.DeleteFunc(first.Cleared, func(n string) bool { return first.Tree.Get(n) != nil })
	}
}
