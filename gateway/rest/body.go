package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// resource reads the request's body as one resource.
func (h *Handler) resource(r *request) (*fhir.Node, error) {
	if sent := r.Request().Header.Get("Content-Type"); sent != "" && !isJSON(sent) {
		return nil, &httpError{status: http.StatusUnsupportedMediaType,
			error: fault.New(fault.Unsupported, "send JSON: application/fhir+json")}
	}
	text, err := h.body(r)
	if err != nil {
		return nil, err
	}
	return h.parse(text)
}

// body reads the request's body as it is.
func (h *Handler) body(r *request) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r.Request().Body, h.Body+1))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body could not be read")
	}
	if int64(len(text)) > h.Body {
		return nil, fault.Newf(fault.TooCostly, "the body is over %d bytes", h.Body).WithCode("too-long")
	}
	return text, nil
}

// parse reads the JSON of a resource; text belongs to it.
func (h *Handler) parse(text []byte) (*fhir.Node, error) {
	tree, err := fhir.Parse(text, fhir.Limits{Bytes: int(h.Body), Depth: h.Depth})
	var syntax *fhir.SyntaxError
	if errors.As(err, &syntax) {
		return nil, &interaction.Refused{
			Fault: fault.New(fault.Invalid, "the body is not JSON of a resource"),
			Issues: []fhir.Issue{{
				Severity: fhir.Error, Code: fhir.TypeStructure, ID: "json-syntax",
				Line: syntax.Line, Column: syntax.Column, Text: syntax.Reason,
			}},
		}
	}
	if err != nil {
		return nil, fmt.Errorf("parse the body: %w", err)
	}
	return tree, nil
}
