package rest

import (
	"cmp"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirxml"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
)

// The media types of FHIR.
const (
	MediaType    = "application/fhir+json"
	XMLMediaType = "application/fhir+xml"
)

const (
	contentType    = MediaType + "; charset=utf-8"
	xmlContentType = XMLMediaType + "; charset=utf-8"
)

// format is how a response is written.
type format struct{ xml, pretty, gzip bool }

// form is one of the forms that a resource has.
type form uint8

const (
	noForm form = iota
	asJSON
	asXML
)

// The names under which the forms are asked for or sent. HTML stands for JSON: a
// browser shows it. The last of each are the names before FHIR was at its third version.
var (
	jsonNames = []string{"json", "application/json", MediaType, "text/json", "application/json+fhir"}
	xmlNames  = []string{"xml", "application/xml", XMLMediaType, "text/xml", "application/xml+fhir"}
	htmlNames = []string{"html", "text/html", "application/xhtml+xml"}
)

// formOf returns the form that a name or media type stands for. One of another
// version of FHIR, or in another charset, is none.
func formOf(text string) form {
	media, params, err := mediaType(text)
	if err != nil {
		media = strings.ToLower(strings.TrimSpace(text))
	}
	if version := strings.Trim(params["fhirversion"], `"`); version != "" && version != "4.0" && !strings.HasPrefix(version, "4.0.") {
		return noForm
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		return noForm
	}
	switch {
	case slices.Contains(jsonNames, media):
		return asJSON
	case slices.Contains(xmlNames, media):
		return asXML
	}
	return noForm
}

// isJSON accepts the names under which FHIR JSON is asked for or sent.
func isJSON(text string) bool { return formOf(text) == asJSON }

// mediaType reads a media type; in an address its + may have become a space.
func mediaType(text string) (string, map[string]string, error) {
	media, params, found := strings.Cut(text, ";")
	media = strings.ReplaceAll(strings.TrimSpace(media), " ", "+")
	if found {
		media += ";" + params
	}
	return mime.ParseMediaType(media)
}

// negotiate reads _format, which stands above Accept, _pretty and the encodings that
// the client takes. The format is usable with an error too, which then is written in it.
func (h *Handler) negotiate(r *http.Request) (format, error) {
	f := format{gzip: takesGzip(r)}
	asked, pretty := formParameters(r.URL.RawQuery)
	switch {
	case asked != "":
		if err := f.ask("_format", asked); err != nil {
			return f, err
		}
	case stated(r.Header["Accept"]):
		wanted := accepted(r.Header["Accept"])
		if wanted == noForm {
			return f, notAcceptable()
		}
		f.xml = wanted == asXML
	}
	return f, f.ask("_pretty", pretty)
}

// stated reports whether a header says anything.
func stated(lines []string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return strings.TrimSpace(l) != "" })
}

// formParameters returns _format and _pretty of a query string. A semicolon is part of
// a value, as media types have it.
func formParameters(query string) (asked, pretty string) {
	if !strings.Contains(query, "_format") && !strings.Contains(query, "_pretty") {
		return "", ""
	}
	pairs, _ := search.Pairs(query)
	for _, p := range pairs {
		switch p.Name {
		case "_format":
			asked = cmp.Or(asked, p.Value)
		case "_pretty":
			pretty = cmp.Or(pretty, p.Value)
		}
	}
	return asked, pretty
}

// ask sets what one of the parameters _format and _pretty asks for.
func (f *format) ask(name, value string) error {
	switch {
	case value == "":
	case name == "_pretty" && (value == "true" || value == "false"):
		f.pretty = value == "true"
	case name == "_pretty":
		return &interaction.Refused{Fault: fault.New(fault.Invalid, "_pretty is true or false"), Issues: []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeValue, ID: "pretty-invalid", Text: "parameter '_pretty': expected true or false", Chinese: "参数“_pretty”：应为 true 或 false",
		}}}
	case slices.Contains(htmlNames, value):
		f.xml = false
	default:
		wanted := formOf(value)
		if wanted == noForm {
			return notAcceptable()
		}
		f.xml = wanted == asXML
	}
	return nil
}

// accepted returns the form that the client wants most; of equals JSON.
func accepted(lines []string) form {
	if len(lines) == 1 && (lines[0] == MediaType || lines[0] == "application/json" || lines[0] == "*/*") {
		return asJSON // what most ask for
	}
	var json, xml wish
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			media, params, err := mediaType(part)
			if err != nil {
				continue
			}
			q := quality(params["q"])
			switch form := formOf(part); {
			case form == asJSON:
				json.add(3, q)
			case form == asXML:
				xml.add(3, q)
			case slices.Contains(htmlNames, media):
				json.add(3, q)
			case media == "application/*" || media == "text/*":
				json.add(2, q)
				xml.add(2, q)
			case media == "*/*":
				json.add(1, q)
				xml.add(1, q)
			}
		}
	}
	switch {
	case json.q > 0 && json.q >= xml.q:
		return asJSON
	case xml.q > 0:
		return asXML
	}
	return noForm
}

// write sends a body of JSON that was made by the server or is stored, in the form
// that is asked for.
func (r *request) write(status int, body []byte) error {
	header := r.Response().Header()
	varies(header)
	media := contentType
	switch {
	case r.format.xml:
		out, err := xmlOf(body)
		if err != nil {
			r.format.xml = false
			return r.write(http.StatusNotAcceptable, r.outcome(issuesOf(err)))
		}
		if body, media = out, xmlContentType; r.format.pretty {
			body = indented(body)
		}
	case r.format.pretty:
		if tree, err := parsed(body); err == nil {
			body = append(tree.AppendIndent(nil), '\n')
		}
	}
	header.Set("Content-Type", media)
	if r.format.gzip && len(body) >= compressOver {
		header.Set("Content-Encoding", "gzip")
		body = zipped(body)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	r.Response().WriteHeader(status)
	if r.Request().Method == http.MethodHead {
		return nil
	}
	_, err := r.Response().Write(body)
	return err
}

// varies says which headers of the request an answer depends on.
func varies(header http.Header) {
	if header.Get("Vary") == "" {
		header.Set("Vary", "Accept, Accept-Encoding")
		return
	}
	header.Add("Vary", "Accept, Accept-Encoding")
}

// parsed reads JSON that is stored or was made here, whatever its size.
func parsed(body []byte) (*fhir.Node, error) {
	return fhir.Parse(body, fhir.Limits{Bytes: 1 << 30, Nodes: 1 << 30})
}

// xmlOf writes JSON that is stored or was made here as XML. Characters that XML does not
// have are replaced: one of them must not keep a client from a page of resources. What
// else XML cannot carry is an error that names it.
func xmlOf(body []byte) ([]byte, error) {
	tree, err := parsed(body)
	if err != nil {
		return nil, err
	}
	out, issues := fhirxml.Append(make([]byte, 0, len(body)+len(body)/4), tree)
	if len(issues) > 0 && legible(tree) {
		out, issues = fhirxml.Append(out[:0], tree)
	}
	if len(issues) > 0 {
		return nil, &interaction.Refused{Fault: fault.New(fault.Unsupported, "the resource cannot be written as XML"), Issues: issues}
	}
	return out, nil
}

// legible puts U+FFFD in the place of characters that XML does not have, and tells
// whether there were any.
//
// https://www.w3.org/TR/xml/#charsets
func legible(n *fhir.Node) (changed bool) {
	for i := range n.Len() {
		k := n.At(i)
		if k.Kind() != fhir.String {
			changed = legible(k) || changed
			continue
		}
		if text := k.Text(); strings.ContainsFunc(text, noXML) {
			n.SetAt(i, fhir.NewString(strings.Map(func(c rune) rune {
				if noXML(c) {
					return unicode.ReplacementChar
				}
				return c
			}, text)))
			changed = true
		}
	}
	return changed
}

// noXML reports whether XML does not have a character.
func noXML(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF
}

func issuesOf(err error) []fhir.Issue {
	if refused, ok := errors.AsType[*interaction.Refused](err); ok {
		return refused.Issues
	}
	return []fhir.Issue{{Severity: fhir.Error, Code: fhir.TypeException, Text: "the resource cannot be written as XML"}}
}

func notAcceptable() error {
	return &httpError{status: http.StatusNotAcceptable,
		error: fault.New(fault.Unsupported, "the formats are "+MediaType+" and "+XMLMediaType+", of FHIR 4.0")}
}
