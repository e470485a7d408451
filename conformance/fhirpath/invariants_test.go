package fhirpath_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/internal/testenv"
)

// The official examples fulfil the invariants of the specification, on every
// element. Warnings are advice that examples need not follow.
func TestInvariantsHoldForExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Corpus(t, "r4-examples"), "*.json"))
	if err != nil || len(files) < 700 {
		t.Fatal(len(files), err)
	}
	c := checker{t: t, compiled: map[*definitions.Constraint]*fhirpath.Expression{}}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		res := parse(t, string(text))
		c.file = filepath.Base(f)
		c.resource(res, res)
	}
	t.Logf("%d invariants evaluated", c.count)
	if c.count < 100_000 {
		t.Errorf("only %d invariants were evaluated", c.count)
	}
}

type checker struct {
	t        *testing.T
	file     string
	count    int
	compiled map[*definitions.Constraint]*fhirpath.Expression
}

func (c *checker) resource(n, root *fhir.Node) {
	typ := definitions.R4().Type(n.ResourceType())
	if typ == nil {
		return
	}
	if n != root && root.ResourceType() == "Bundle" {
		root = n // an entry stands for itself
	}
	env := &fhirpath.Env{Resource: n, RootResource: root, Resolver: fhirpath.TypesOnly}
	v := model().Resource(n)
	c.constraints(typ.Root(), v, env)
	c.children(n, typ.Child, env, root)
}

func (c *checker) children(n *fhir.Node, child func(string) *definitions.Property, env *fhirpath.Env, root *fhir.Node) {
	seen := map[string]bool{}
	for _, k := range n.All() {
		p := child(k.Name())
		if p == nil || seen[k.Name()] {
			continue
		}
		seen[k.Name()] = true
		for _, e := range n.Elements(k.Name()) {
			if p.Type == "Resource" {
				c.resource(e.Value, root)
				continue
			}
			c.constraints(p.Element, model().Element(e, p), env)
			if typ := definitions.R4().Type(p.Type); typ != nil && p.Container() == typ.Root() {
				c.constraints(typ.Root(), model().Element(e, p), env)
			}
			if e.Value.Kind() == fhir.Object {
				c.children(e.Value, p.Child, env, root)
			}
		}
	}
}

func (c *checker) constraints(e *definitions.Element, v fhirpath.Value, env *fhirpath.Env) {
	for _, k := range e.Constraints {
		if k.Expression == "" || k.Severity != "error" {
			continue
		}
		x := c.compiled[k]
		if x == nil {
			var err error
			if x, err = model().Compile(k.Expression, fhirpath.Options{Lenient: true}); err != nil {
				c.t.Fatalf("%s: %v", k.Key, err)
			}
			c.compiled[k] = x
		}
		c.count++
		holds, defined, err := x.Holds(env, v)
		if err != nil || defined && !holds {
			c.t.Errorf("%s: %s on %s: holds %v, error %v: %s", c.file, k.Key, e.Path, holds, err, k.Expression)
		}
	}
}
