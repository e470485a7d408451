package testscript

import (
	"context"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// inBundle resolves references among the entries of a Bundle.
type inBundle struct{ bundle *fhir.Node }

func (b inBundle) Resolve(_ context.Context, reference string) *fhir.Node {
	if b.bundle.ResourceType() != "Bundle" || reference == "" {
		return nil
	}
	reference, _, _ = strings.Cut(reference, "/_history/")
	for _, e := range b.bundle.Get("entry").Items() {
		r := e.Get("resource")
		if r == nil {
			continue
		}
		url := e.Get("fullUrl").Text()
		if url == reference || r.ResourceType()+"/"+r.ID() == reference ||
			!strings.Contains(reference, ":") && strings.HasSuffix(url, "/"+reference) {
			return r
		}
	}
	return nil
}
