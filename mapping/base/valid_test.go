package base_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/testenv"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
)

// What the maps make of messages is valid R4, invariants included: it would be quarantined otherwise.
func TestMadeResourcesAreValid(t *testing.T) {
	t.Run("cases", func(t *testing.T) {
		inst := load(t, sender)
		cases, err := maptest.Cases(os.DirFS("."))
		if err != nil {
			t.Fatal(err)
		}
		c := newChecker(t)
		for _, one := range cases {
			rep := maptest.Run(inst, one)
			for _, tree := range rep.Got {
				c.check(one.Name, tree)
			}
		}
	})
	t.Run("published messages", func(t *testing.T) {
		dir := testenv.Corpus(t, "hl7v2", "ms")
		data, err := os.ReadFile(filepath.Join(dir, "pairs.json"))
		if err != nil {
			t.Fatal(err)
		}
		var pairs []struct{ Input string }
		if err := json.Unmarshal(data, &pairs); err != nil {
			t.Fatal(err)
		}
		inst := load(t, minimal)
		c := newChecker(t)
		for _, pair := range pairs {
			res := mapped(t, inst, readMessage(t, filepath.Join(dir, pair.Input), ""))
			for i := range res.Resources {
				if res.Resources[i].Write != mapping.Reference {
					c.check(filepath.Base(pair.Input), res.Resources[i].Tree)
				}
			}
		}
	})
}

// checker validates resources and evaluates the invariants of their types.
type checker struct {
	t         *testing.T
	name      string
	defs      *definitions.Definitions
	validator *validate.Validator
	model     *fhirpath.Model
	compiled  map[*definitions.Constraint]*fhirpath.Expression
}

func newChecker(t *testing.T) *checker {
	defs := definitions.R4()
	return &checker{t: t, defs: defs, validator: validate.New(defs, validate.Options{}), model: fhirpath.NewModel(defs),
		compiled: map[*definitions.Constraint]*fhirpath.Expression{}}
}

func (c *checker) check(name string, tree *fhir.Node) {
	c.name = name
	// Through JSON, as it will be stored: positions and all.
	n, err := fhir.Parse(tree.AppendJSON(nil), fhir.Limits{})
	if err != nil {
		c.t.Errorf("%s: %v", name, err)
		return
	}
	for _, i := range c.validator.Resource(n) {
		if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
			c.t.Errorf("%s: %s", name, i)
		}
	}
	typ := c.defs.Type(n.ResourceType())
	env := &fhirpath.Env{Resource: n, RootResource: n, Resolver: fhirpath.TypesOnly}
	c.constraints(typ.Root(), c.model.Resource(n), env)
	c.children(n, typ.Child, env)
}

func (c *checker) children(n *fhir.Node, child func(string) *definitions.Property, env *fhirpath.Env) {
	seen := map[string]bool{}
	for _, k := range n.All() {
		name := strings.TrimPrefix(k.Name(), "_")
		p := child(name)
		if p == nil || seen[name] {
			continue
		}
		seen[name] = true
		for _, e := range n.Elements(name) {
			c.constraints(p.Element, c.model.Element(e, p), env)
			if typ := c.defs.Type(p.Type); typ != nil && p.Container() == typ.Root() {
				c.constraints(typ.Root(), c.model.Element(e, p), env)
			}
			if e.Value.Kind() == fhir.Object {
				c.children(e.Value, p.Child, env)
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
			if x, err = c.model.Compile(k.Expression, fhirpath.Options{Lenient: true}); err != nil {
				c.t.Fatalf("%s: %v", k.Key, err)
			}
			c.compiled[k] = x
		}
		if holds, defined, err := x.Holds(env, v); err != nil || defined && !holds {
			c.t.Errorf("%s: %s on %s: %s", c.name, k.Key, e.Path, k.Human)
		}
	}
}
