package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// wantsResource tells whether a Binary whose content is of the given type is asked
// for as FHIR JSON. That takes its name, in _format or Accept, and no stronger wish
// for the content's own type; everything else is the content. Who asks for nothing but
// another format of FHIR, such as XML, gets neither.
func wantsResource(r *http.Request, stored string) (bool, error) {
	if asked := r.URL.Query().Get("_format"); asked != "" {
		if foreign(asked) || asked == "xml" {
			return false, notAcceptable()
		}
		return isJSON(asked), nil
	}
	stored, _, _ = mime.ParseMediaType(stored)
	var resource, other, content wish
	for _, line := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
			if err != nil {
				continue
			}
			q := quality(params["q"])
			if isJSON(part) {
				resource.add(1, q)
			}
			if foreign(part) {
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
	if resource.q == 0 && content.exact == 0 && other.q > 0 {
		return false, notAcceptable()
	}
	return resource.q > 0 && resource.q >= content.q, nil
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

// foreign reports whether text names a format of FHIR that is not served: XML, or
// another version.
func foreign(text string) bool {
	media, _, err := mediaType(text)
	return err == nil && (media == "application/fhir+xml" || media == MediaType && !isJSON(text))
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
