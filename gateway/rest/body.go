package rest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// resource reads the request's body as one resource. What its XML says and FHIR does
// not allow refuses it, as an unknown element in JSON does.
func (h *Handler) resource(r *request) (*fhir.Node, error) {
	tree, issues, err := h.sent(r)
	if err == nil && fhir.HasErrors(issues) {
		err = invalidXML(issues)
	}
	return tree, err
}

func invalidXML(issues []fhir.Issue) error {
	return &interaction.Refused{Fault: fault.New(fault.Invalid, "the resource is not valid FHIR R4").WithCode("processing"), Issues: issues}
}

// sent reads the request's body as one resource, in the form that Content-Type says
// or, where it says nothing, that it begins like. Issues are about what XML says and
// the tree has no place for.
func (h *Handler) sent(r *request) (*fhir.Node, []fhir.Issue, error) {
	typ := r.Request().Header.Get("Content-Type")
	form := formOf(typ)
	if typ != "" && form == noForm {
		return nil, nil, &httpError{status: http.StatusUnsupportedMediaType,
			error: fault.New(fault.Unsupported, "send "+MediaType+" or "+XMLMediaType+" of FHIR 4.0, in UTF-8")}
	}
	text, err := h.body(r)
	if err != nil {
		return nil, nil, err
	}
	if form == asXML || form == noForm && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("<")) {
		return h.parseXML(text)
	}
	tree, err := h.parse(text)
	return tree, nil, err
}

// body reads the request's body as it is, or was before it was compressed.
func (h *Handler) body(r *request) ([]byte, error) {
	long := fault.Newf(fault.TooCostly, "the body is over %d bytes", h.Body).WithCode("too-long")
	if r.Request().ContentLength > h.Body {
		return nil, long
	}
	from, err := unzipping(r.Request(), h.Body)
	if err != nil {
		return nil, err
	}
	said := r.Request().ContentLength
	text, err := readOn(nil, from, min(largeBody, h.Body)+1, said)
	if err == nil && int64(len(text)) > min(largeBody, h.Body) {
		if err = h.wait(r); err == nil {
			text, err = readOn(text, from, h.Body+1, said)
		}
	}
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > h.Body {
		return nil, long
	}
	return text, nil
}

// largeBody is how many bytes a body has at most that does not wait for its turn.
const largeBody = 256 << 10

// wait waits for the turn of a large body: what it is made into takes many times its
// bytes. One whose length is not known counts as the longest that there may be. The
// entries of a Bundle are part of its turn.
func (h *Handler) wait(r *request) error {
	if _, entry := r.ctx.Value(viewerKey{}).(interaction.Viewer); entry || r.turn > 0 {
		return nil
	}
	size := h.Body
	if said := r.Request().ContentLength; said > 0 && r.Request().Header.Get("Content-Encoding") == "" {
		size = min(said, h.Body)
	}
	if err := h.turns.Acquire(r.ctx, size); err != nil {
		return fault.Wrap(fault.Unavailable, err, "too many large bodies are worked on; try again")
	}
	r.turn = size
	return nil
}

// leave ends the turn of a large body.
func (h *Handler) leave(r *request) {
	if r.turn > 0 {
		h.turns.Release(r.turn)
		r.turn = 0
	}
}

// parse reads the JSON of a resource; text belongs to it.
func (h *Handler) parse(text []byte) (*fhir.Node, error) {
	tree, err := fhir.Parse(text, fhir.Limits{Bytes: int(h.Body), Depth: h.Depth})
	return tree, unparsed(err, "json-syntax", "the body is not JSON of a resource")
}

// parseXML reads the XML of a resource; text belongs to it.
func (h *Handler) parseXML(text []byte) (*fhir.Node, []fhir.Issue, error) {
	tree, issues, err := fhirxml.Parse(text, fhirxml.Options{Limits: fhir.Limits{Bytes: int(h.Body), Depth: h.Depth}})
	if err = unparsed(err, "xml-syntax", "the body is not XML of a resource"); err != nil {
		return nil, nil, err
	}
	if tree == nil {
		return nil, nil, &interaction.Refused{Fault: fault.New(fault.Invalid, "the body is not XML of a resource"), Issues: issues}
	}
	return tree, issues, nil
}

// unparsed gives a failure to parse its kind, and says where.
func unparsed(err error, id, text string) error {
	if err == nil {
		return nil
	}
	syntax, ok := errors.AsType[*fhir.SyntaxError](err)
	if !ok {
		return fmt.Errorf("parse the body: %w", err)
	}
	return &interaction.Refused{Fault: fault.New(fault.Invalid, text), Issues: []fhir.Issue{{
		Severity: fhir.Error, Code: fhir.TypeStructure, ID: id, Line: syntax.Line, Column: syntax.Column, Text: syntax.Reason, Chinese: syntax.Chinese,
	}}}
}
