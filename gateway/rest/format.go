package rest

import (
	"mime"
	"net/http"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
)

// MediaType is the JSON media type of FHIR.
const MediaType = "application/fhir+json"

const contentType = MediaType + "; charset=utf-8"

// format is how a response is written.
type format struct{ pretty bool }

// negotiate reads _format, _pretty and Accept. JSON is the only format so far.
func (h *Handler) negotiate(r *http.Request) (format, error) {
	query := r.URL.Query()
	f := format{pretty: query.Get("_pretty") == "true"}
	if asked := query.Get("_format"); asked != "" {
		if !isJSON(asked) {
			return f, notAcceptable()
		}
		return f, nil
	}
	accept := r.Header.Get("Accept")
	if accept == "" {
		return f, nil
	}
	for _, part := range strings.Split(accept, ",") {
		if isJSON(part) || isAny(part) {
			return f, nil
		}
	}
	return f, notAcceptable()
}

// isJSON accepts the names under which FHIR JSON is asked for or sent.
func isJSON(text string) bool {
	media, params, err := mediaType(text)
	if err != nil {
		media = strings.TrimSpace(text)
	}
	switch media {
	case "json", "application/json", MediaType, "text/json":
		version := params["fhirversion"]
		return version == "" || strings.HasPrefix(version, "4.0")
	}
	return false
}

// mediaType reads a media type; in an address its + may have become a space.
func mediaType(text string) (string, map[string]string, error) {
	media, params, found := strings.Cut(text, ";")
	media = strings.ReplaceAll(strings.TrimSpace(media), " ", "+")
	if found {
		media += ";" + params
	}
	return mime.ParseMediaType(media)
}

func isAny(text string) bool {
	media, _, err := mime.ParseMediaType(strings.TrimSpace(text))
	return err == nil && (media == "*/*" || media == "application/*" || media == "text/html")
}

// write sends a JSON body that was made by the server or is stored.
func (r *request) write(status int, body []byte) error {
	if r.format.pretty {
		if tree, err := fhir.Parse(body, fhir.Limits{Bytes: 1 << 30, Nodes: 1 << 30}); err == nil {
			body = append(tree.AppendIndent(nil), '\n')
		}
	}
	return r.Blob(status, contentType, body)
}

func notAcceptable() error {
	return &httpError{status: http.StatusNotAcceptable, error: fault.New(fault.Unsupported, "only JSON is served: application/fhir+json")}
}
