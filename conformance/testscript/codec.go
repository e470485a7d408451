package testscript

import (
	"errors"
	"mime"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
)

// The media types of FHIR.
const (
	typeJSON = "application/fhir+json"
	typeXML  = "application/fhir+xml"
)

// mediaType returns what a code or media type of a script stands for, "" for none.
func mediaType(code string) string {
	switch code {
	case "json":
		return typeJSON
	case "xml":
		return typeXML
	case "ttl":
		return "application/fhir+turtle"
	case "none":
		return ""
	}
	return code
}

// baseType returns a media type without its parameters, in lower case.
func baseType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(contentType, ";")
		t = strings.ToLower(strings.TrimSpace(t))
	}
	return t
}

func isXML(contentType string) bool {
	t := baseType(contentType)
	return strings.HasSuffix(t, "+xml") || strings.HasSuffix(t, "/xml")
}

func isJSON(contentType string) bool {
	t := baseType(contentType)
	return strings.HasSuffix(t, "+json") || strings.HasSuffix(t, "/json")
}

// decode reads a resource. Where the content type does not tell the form, the first character does.
func decode(body []byte, contentType string, limit int) (*fhir.Node, error) {
	if isXML(contentType) || !isJSON(contentType) && strings.HasPrefix(strings.TrimLeft(string(body[:min(len(body), 64)]), "\uFEFF \t\r\n"), "<") {
		n, issues, err := fhirxml.Parse(body, fhirxml.Options{Limits: fhir.Limits{Bytes: limit}})
		switch {
		case err != nil:
			return nil, err
		case fhir.HasErrors(issues):
			return nil, errors.New(firstError(issues))
		case n == nil:
			return nil, errors.New("not a resource")
		}
		return n, nil
	}
	return fhir.Parse(body, fhir.Limits{Bytes: limit})
}

// encode writes a resource in the form of a media type.
func encode(n *fhir.Node, contentType string) ([]byte, error) {
	if !isXML(contentType) {
		return n.AppendJSON(nil), nil
	}
	out, issues := fhirxml.Append(nil, n)
	if fhir.HasErrors(issues) {
		return nil, errors.New(firstError(issues))
	}
	return out, nil
}

func firstError(issues []fhir.Issue) string {
	for _, i := range issues {
		if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
			if i.Expression != "" {
				return i.Text + " at " + i.Expression
			}
			return i.Text
		}
	}
	return ""
}
