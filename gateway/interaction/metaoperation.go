package interaction

import (
	"context"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// $meta, $meta-add and $meta-delete read and change the profiles, tags and labels of a
// resource. A change makes a new version, as any other does: versions that were given
// out stay as they are. The tag of the owner is the server's and stays. Of a type, or of
// everything, $meta tells which there are, see labels.
//
// https://hl7.org/fhir/R4/resource-operations.html

func (e *Engine) meta(ctx context.Context, v Viewer, c *Call) (Result, error) {
	p, err := c.parameters(nil)
	if err != nil {
		return Result{}, err
	}
	if err := p.only(); err != nil {
		return Result{}, err
	}
	if c.Key.ID == "" {
		return e.labels(ctx, v, c.Key.Type)
	}
	read := e.Read
	if c.Version > 0 {
		read = func(ctx context.Context, v Viewer, k store.Key) (store.Version, error) {
			return e.ReadVersion(ctx, v, k, c.Version)
		}
	}
	got, err := read(ctx, v, c.Key)
	if err != nil {
		return Result{}, err
	}
	return metaReply(got)
}

func metaReply(v store.Version) (Result, error) {
	tree, err := parseStored(v.Body)
	if err != nil {
		return Result{}, err
	}
	return returned(tree.Get("meta").Clone()), nil
}

func returned(meta *fhir.Node) Result {
	out := fhir.NewObject().SetString("name", "return").Set("valueMeta", meta)
	return Result{Resource: fhir.NewObject().SetString("resourceType", "Parameters").Set("parameter", fhir.NewArray(out))}
}

func (e *Engine) metaAdd(ctx context.Context, v Viewer, c *Call) (Result, error) {
	return e.changeMeta(ctx, v, c, func(list, given *fhir.Node, same func(a, b *fhir.Node) bool) {
		for _, g := range given.Items() {
			if !among(list, g, same) {
				list.Append(g.Clone())
			}
		}
	})
}

func (e *Engine) metaDelete(ctx context.Context, v Viewer, c *Call) (Result, error) {
	return e.changeMeta(ctx, v, c, func(list, given *fhir.Node, same func(a, b *fhir.Node) bool) {
		for i := list.Len() - 1; i >= 0; i-- {
			if among(given, list.At(i), same) {
				list.RemoveAt(i)
			}
		}
	})
}

func among(list, one *fhir.Node, same func(a, b *fhir.Node) bool) bool {
	for _, item := range list.Items() {
		if same(item, one) {
			return true
		}
	}
	return false
}

// metaLists are what a Meta holds many of, and when two of them are the same: profiles
// by their URL, tags and labels by system and code.
var metaLists = []struct {
	name string
	same func(a, b *fhir.Node) bool
}{
	{"profile", func(a, b *fhir.Node) bool { return a.Text() == b.Text() }},
	{"security", sameCoding},
	{"tag", sameCoding},
}

func sameCoding(a, b *fhir.Node) bool {
	return a.Get("system").Text() == b.Get("system").Text() && a.Get("code").Text() == b.Get("code").Text()
}

// maxTries bounds how often a change of meta is made again because somebody else
// changed the resource meanwhile.
const maxTries = 5

// changeMeta changes the lists of a resource's meta.
func (e *Engine) changeMeta(ctx context.Context, v Viewer, c *Call, change func(list, given *fhir.Node, same func(a, b *fhir.Node) bool)) (Result, error) {
	p, err := c.parameters(nil)
	if err != nil {
		return Result{}, err
	}
	if err := p.only("meta"); err != nil {
		return Result{}, err
	}
	given := p.get("meta").Get("valueMeta")
	if given.Kind() != fhir.Object {
		return Result{}, invalid("meta-missing", "", "the operation takes a parameter meta with a valueMeta")
	}
	for range maxTries {
		got, err := e.current(ctx, v, c.Key)
		switch {
		case err != nil:
			return Result{}, err
		case got.Deleted:
			return Result{}, gone()
		}
		if err := expected(c.Match).judge(got); err != nil {
			return Result{}, err
		}
		stored, err := parseStored(got.Body)
		if err != nil {
			return Result{}, err
		}
		meta := stored.Get("meta").Clone()
		for _, l := range metaLists {
			list := fhir.NewArray()
			for _, item := range meta.Get(l.name).Items() {
				list.Append(item.Clone())
			}
			change(list, given.Get(l.name), l.same)
			meta.Remove(l.name)
			if list.Len() > 0 {
				meta.Set(l.name, list)
			}
		}
		set := fhir.NewObject().SetString("op", "add").SetString("path", "/meta").Set("value", meta)
		written, err := e.Patch(ctx, v, c.Key, Patch{JSON: fhir.NewArray(set)}, got.Number)
		if fault.Is(err, fault.Precondition) {
			continue
		}
		if err != nil {
			return Result{}, err
		}
		return metaReply(written.Version)
	}
	return Result{}, fault.New(fault.Busy, "the resource changes all the time; try again")
}
