package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// binaryForm tells how a Binary whose content is of the given type is asked for: as
// FHIR JSON or XML, or noForm for its content. A form of FHIR takes its name, in
// _format or Accept, and no stronger wish for the content's own type. XML names that
// are not FHIR's own are the content's.
func binaryForm(r *http.Request, stored string) (form, error) {
	if asked, _ := formParameters(r.URL.RawQuery); asked != "" {
		wanted := formOf(asked)
		if wanted == noForm && foreign(asked) {
			return noForm, notAcceptable()
		}
		return wanted, nil
	}
	stored, _, _ = mime.ParseMediaType(stored)
	var json, xml, other, content wish
	for _, line := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			media, params, err := mediaType(part)
			if err != nil {
				continue
			}
			q := quality(params["q"])
			switch {
			case isJSON(part):
				json.add(1, q)
			case media == XMLMediaType && formOf(part) == asXML:
				xml.add(1, q)
			case foreign(part):
				other.add(1, q)
			}
			switch {
			case media == stored:
				content.add(3, q)
			case strings.HasSuffix(media, "/*") && strings.HasPrefix(stored, strings.TrimSuffix(media, "*")):
				content.add(2, q)
			case media == "*/*":
				content.add(1, q)
			}
		}
	}
	switch {
	case json.q > 0 && json.q >= content.q && json.q >= xml.q:
		return asJSON, nil
	case xml.q > 0 && xml.q >= content.q:
		return asXML, nil
	case json.q == 0 && xml.q == 0 && content.exact == 0 && other.q > 0:
		return noForm, notAcceptable()
	}
	return noForm, nil
}

// wish is how much something is wanted, by the most exact of what names it.
type wish struct {
	exact int
	q     float64
}

func (w *wish) add(exact int, q float64) {
	switch {
	case exact > w.exact:
		w.exact, w.q = exact, q
	case exact == w.exact:
		w.q = max(w.q, q)
	}
}

// quality reads a weight; one that is none counts as 1.
func quality(text string) float64 {
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 1
	}
	return q
}

// foreign reports whether text names a format of FHIR that is not served: another
// version, or another form.
func foreign(text string) bool {
	media, _, err := mediaType(text)
	return err == nil && strings.HasPrefix(media, "application/fhir+") && formOf(text) == noForm
}

// isMedia reports whether text is a media type: type, subtype and parameters.
func isMedia(text string) bool {
	media, _, err := mime.ParseMediaType(text)
	return err == nil && strings.Count(media, "/") == 1
}

// servedType is the Content-Type under which content is sent: as it is stored, if it
// is one.
func servedType(stored string) string {
	if !isMedia(stored) {
		return "application/octet-stream"
	}
	return stored
}
