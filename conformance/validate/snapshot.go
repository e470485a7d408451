package validate

import (
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
)

// withSnapshot gives a profile the snapshot that follows from its differential,
// if it comes without one.
func (v *Validator) withSnapshot(n *fhir.Node) (*fhir.Node, error) {
	if n.Path("snapshot", "element") != nil {
		return n, nil
	}
	made, issues := v.generator().Generate(n)
	if made == nil {
		for _, i := range issues {
			if i.Severity == fhir.Error {
				return nil, &flaw{fhir.Text{English: i.Text, Chinese: i.In("zh")}}
			}
		}
		return nil, flawed("it has no snapshot")
	}
	return made, nil
}

func (v *Validator) generator() *snapshot.Generator {
	v.snapshotting.Do(func() { v.snapshots = snapshot.New(everything{v}, snapshot.Options{Unsorted: true}) })
	return v.snapshots
}

// everything finds definitions of the caller and of the specification.
type everything struct{ v *Validator }

func (e everything) Resolve(kind, url string) (*fhir.Node, bool) {
	n := e.v.definition(kind, url)
	return n, n != nil
}
