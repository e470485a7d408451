package interaction

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/patch"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Patch changes a resource: one of its fields is set. See package patch.
type Patch struct {
	FHIRPath *fhir.Node // a Parameters resource
	JSON     *fhir.Node // an array of operations
	XML      []byte     // a document of operations
}

// The media types of patches. FHIRPath Patch comes in those of resources.
const (
	JSONPatch = "application/json-patch+json"
	XMLPatch  = "application/xml-patch+xml"
)

// PatchOf reads a JSON or XML Patch by its media type.
//
// Faults: Unsupported for another type, *Refused for what is no JSON.
func PatchOf(media string, text []byte, lim fhir.Limits) (Patch, error) {
	media, _, _ = strings.Cut(media, ";")
	switch strings.TrimSpace(media) {
	case XMLPatch:
		return Patch{XML: text}, nil
	case JSONPatch:
	default:
		return Patch{}, fault.New(fault.Unsupported, "a patch is "+JSONPatch+", "+XMLPatch+" or a Parameters resource")
	}
	operations, err := fhir.Parse(text, lim)
	var syntax *fhir.SyntaxError
	if errors.As(err, &syntax) {
		return Patch{}, &Refused{Fault: fault.New(fault.Invalid, "the patch is not JSON"), Issues: []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeStructure, ID: "json-syntax", Line: syntax.Line, Column: syntax.Column, Text: syntax.Reason,
		}}}
	}
	if err != nil {
		return Patch{}, fmt.Errorf("parse a patch: %w", err)
	}
	return Patch{JSON: operations}, nil
}

func (x *Patch) apply(resource *fhir.Node, lim patch.Limits) (*fhir.Node, error) {
	switch {
	case x.FHIRPath != nil:
		return patch.ApplyFHIRPath(resource, x.FHIRPath, lim)
	case x.JSON != nil:
		return patch.ApplyJSON(resource, x.JSON, lim)
	}
	return patch.ApplyXML(resource, x.XML, lim)
}

// Patch changes a resource in part; match is as in Update, and what changes nothing
// makes no new version.
//
// Faults: NotFound for what is not there or not the viewer's to see, Gone for what
// was deleted, Precondition and Forbidden as in Update, *Refused for patches that
// cannot be read (400) or applied (422), and for results that are not valid (422).
func (e *Engine) Patch(ctx context.Context, v Viewer, k store.Key, x Patch, match ...int64) (Written, error) {
	return e.one(ctx, v, &action{verb: patches, key: k, patch: &x, match: match})
}

// PatchIf is Patch of the resource that fits the criteria.
//
// Faults besides those of Patch: Precondition when more than one fits.
func (e *Engine) PatchIf(ctx context.Context, v Viewer, typ string, x Patch, criteria []search.Pair, match ...int64) (Written, error) {
	return e.one(ctx, v, &action{verb: patches, key: store.Key{Type: typ}, patch: &x, match: match, pairs: given(criteria)})
}

func (p *planning) draftPatch(ctx context.Context, i int, k store.Key, known map[store.Pending]string) error {
	a := p.actions[i]
	current, err := p.replaceable(ctx, k, a.match)
	if err != nil {
		return err
	}
	if current.Deleted {
		return gone()
	}
	if current.Blob.Length > p.Limit.Attached {
		return fault.New(fault.TooCostly, "the content of the Binary is too large to be patched; replace it")
	}
	body := current.Body
	if current.Blob.Digest != "" {
		data, err := p.bytesOf(ctx, current.Blob)
		if err != nil {
			return err
		}
		body = withData(body, data)
	}
	stored, err := parseStored(body)
	if err != nil {
		return fmt.Errorf("read stored %s: %w", k.Type, err)
	}
	result, err := a.patch.apply(stored, patch.Limits{})
	if err != nil {
		return unpatched(err)
	}
	if result.ResourceType() != k.Type || result.ID() != k.ID {
		return refuse("the patch cannot be applied", []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeBusinessRule, ID: "patch-other-resource", Expression: k.Type,
			Text: "a patch cannot change the type or the id of a resource",
		}})
	}
	tree, data, err := split(k.Type, result)
	if err != nil {
		return err
	}
	if p.links != nil {
		if tree, err = p.links.patched(p, i, tree); err != nil {
			return err
		}
	}
	return p.draftOver(ctx, i, current, tree, data, known)
}

// unreadable are the issue types of patches that are wrong whatever they are applied
// to.
var unreadable = map[fhir.IssueType]bool{
	fhir.TypeStructure: true, fhir.TypeRequired: true, fhir.TypeNotSupported: true, fhir.TypeInvalid: true, fhir.TypeValue: true,
}

// unpatched gives the failure of a patch its kind.
func unpatched(err error) error {
	var e *patch.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("apply a patch: %w", err)
	}
	out := &Refused{Issues: []fhir.Issue{e.Issue}}
	switch {
	case e.Limit:
		out.Fault = fault.New(fault.TooCostly, "the patch is over a limit")
	case unreadable[e.Code] && e.ID != "patch-result" && e.ID != "patch-index":
		out.Fault = fault.New(fault.Invalid, "the patch cannot be read")
	default:
		out.Fault = fault.New(fault.Invalid, "the patch cannot be applied").WithCode("processing")
	}
	return out
}
