package mapping

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // FHIR R4 defines Attachment.hash as SHA-1
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/record"
)

var attachmentFunctions = []*function{
	{name: "attachment", makes: []string{"Attachment"}, inputs: []string{"contentType", "title", "encoding", "language", "creation"}, compile: func(c *compiler, f *call) applier {
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			contentType := mediaType(f.input(r, at, "contentType").text)
			content, declared, p := r.content(at, f, v, contentType)
			if p != nil {
				if !p.none {
					r.issue(fhir.Warning, fhir.TypeValue, p.id, f.target.path, v.node, p.want)
				}
				return out, p.none
			}
			if contentType == "" {
				contentType = declared
			}
			if contentType == "" {
				contentType = sniff(content)
			}
			return append(out, product{node: r.attachment(at, f, contentType, content)}), false
		}
	}},
	{name: "document", makes: []string{"Attachment"}, inputs: []string{"contentType", "title", "language", "creation"}, compile: func(c *compiler, f *call) applier {
		if !f.from.record {
			c.errorf(f.node.Position, "document is of the record itself; want no from, each or expr")
			return nil
		}
		if record.Tabular(c.m.format) {
			c.errorf(f.node.Position, "document is not for format: %s; a row has no bytes of its own", c.m.format)
			return nil
		}
		return func(r *run, at *record.Node, v value, out []product) ([]product, bool) {
			content := r.rec.Raw
			if len(content) > r.inst.lim.MaxAttachment {
				r.issue(fhir.Warning, fhir.TypeTooCostly, "attachment-too-large", f.target.path, r.rec.Root, r.tooLarge())
				return out, false
			}
			contentType := mediaType(f.input(r, at, "contentType").text)
			if contentType == "" {
				contentType = documentTypes[r.rec.Format]
				if set := strings.ToLower(r.rec.Charset); contentType != "" && set != "" {
					contentType += "; charset=" + strings.Replace(set, "us-ascii", "utf-8", 1) // of which it is a part
				}
			}
			return append(out, product{node: r.attachment(at, f, contentType, content)}), false
		}
	}},
}

// documentTypes are the media types of records.
var documentTypes = map[string]string{
	record.HL7v2: "x-application/hl7-v2+er7", // as HL7 names it
	record.JSON:  "application/json",
	record.XML:   "application/xml",
}

func (r *run) tooLarge() string {
	return "not kept: an attachment of more than " + strconv.Itoa(r.inst.lim.MaxAttachment) + " bytes"
}

// attachment makes an Attachment of its content.
func (r *run) attachment(at *record.Node, f *call, contentType string, content []byte) *fhir.Node {
	n := fhir.NewObject().SetString("contentType", contentType)
	if l := f.input(r, at, "language"); l.present() {
		n.SetString("language", l.text)
	}
	sum := sha1.Sum(content) //nolint:gosec // see the import
	n.SetString("data", base64.StdEncoding.EncodeToString(content))
	n.Set("size", fhir.NewNumber(strconv.Itoa(len(content))))
	n.SetString("hash", base64.StdEncoding.EncodeToString(sum[:]))
	if t := f.input(r, at, "title"); t.present() {
		n.SetString("title", clean(t.text))
	}
	if t := f.input(r, at, "creation"); t.present() {
		if d, p := primitive("dateTime", t.text, r.inst.dates); p == nil {
			n.Set("creation", d)
		} else if !p.none {
			r.issue(fhir.Warning, fhir.TypeValue, p.id, f.target.path+".creation", t.node, p.want)
		}
	}
	r.count(6)
	return n
}

// content decodes what the function reads: by the encoding that the record says, which HL7 calls A, Base64 and Hex; without
// one it is a data: URI, base64 if the type says that it is no text or the bytes behind it are of a known kind, else text.
// Declared is the type that a data: URI says.
func (r *run) content(at *record.Node, f *call, v value, contentType string) (content []byte, declared string, _ *problem) {
	encoding := f.input(r, at, "encoding")
	switch strings.ToLower(strings.TrimSpace(encoding.text)) {
	case "a", "text", "utf-8":
		return r.text(at, f)
	case "base64":
		content, p := r.base64(v.text)
		return content, "", p
	case "hex":
		content, p := r.hex(v.text)
		return content, "", p
	case "":
	default:
		return nil, "", &problem{id: "encoding-unknown", want: "want A, Base64 or Hex as the encoding"}
	}
	if len(v.text) > 5 && strings.EqualFold(v.text[:5], "data:") {
		return r.dataURI(v.text[5:])
	}
	first, _ := utf8.DecodeRuneInString(v.text)
	switch {
	case strings.HasPrefix(contentType, "text/"):
		return r.text(at, f)
	case contentType != "" && strings.ContainsRune("<{[", first): // XML and JSON, which base64 cannot begin like
		return r.text(at, f)
	case contentType != "":
		content, p := r.base64(v.text)
		return content, "", p
	}
	if head, err := base64.StdEncoding.DecodeString(head(v.text, 45)); err == nil && magic(head) != "" {
		if content, p := r.base64(v.text); p == nil || p.id == "attachment-too-large" {
			return content, "", p
		}
	}
	return r.text(at, f)
}

// head returns the first 4n characters of base64 without white space: enough for the mark of a DICOM file behind 128 bytes.
func head(text string, n int) string {
	var b strings.Builder
	for _, c := range text[:min(len(text), 16*n)] {
		if b.Len() < 4*n && !unicode.IsSpace(c) {
			b.WriteRune(c)
		}
	}
	return b.String()[:b.Len()/4*4]
}

// text is the content that stands in the record as it is: all repetitions, one a line.
func (r *run) text(at *record.Node, f *call) ([]byte, string, *problem) {
	var b bytes.Buffer
	size, some := 0, false
	f.from.each(r, at, func(v value) bool {
		if !v.present() {
			return r.step()
		}
		r.take(v)
		if some {
			b.WriteByte('\n')
		}
		some = true
		if size += len(v.text) + 1; size-1 > r.inst.lim.MaxAttachment {
			return false
		}
		b.WriteString(v.text)
		return r.step()
	})
	switch {
	case size-1 > r.inst.lim.MaxAttachment:
		return nil, "", &problem{id: "attachment-too-large", want: r.tooLarge()}
	case b.Len() == 0:
		return nil, "", &problem{none: true}
	}
	declared := ""
	if magic(b.Bytes()) == "application/xml" { // whatever its prolog says, it is decoded
		declared = "application/xml; charset=utf-8"
	}
	return b.Bytes(), declared, nil
}

// base64 decodes base64 as senders print it: with line breaks of any kind, with the URL alphabet, without padding.
func (r *run) base64(text string) ([]byte, *problem) {
	wrong := &problem{id: "base64-format", want: "want base64"}
	text = strings.TrimRight(unbroken(text), "=")
	if strings.ContainsAny(text, "-_") {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	}
	if text == "" {
		return nil, wrong
	}
	if base64.RawStdEncoding.DecodedLen(len(text)) > r.inst.lim.MaxAttachment {
		return nil, &problem{id: "attachment-too-large", want: r.tooLarge()}
	}
	out, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, wrong
	}
	return out, nil
}

func (r *run) hex(text string) ([]byte, *problem) {
	text = unbroken(text)
	if len(text)/2 > r.inst.lim.MaxAttachment {
		return nil, &problem{id: "attachment-too-large", want: r.tooLarge()}
	}
	out, err := hex.DecodeString(text)
	if err != nil || len(out) == 0 {
		return nil, &problem{id: "hex-format", want: "want hexadecimal digits"}
	}
	return out, nil
}

// unbroken takes white space out of a text, and line breaks that were escaped and not read as such.
func unbroken(text string) string {
	if strings.IndexByte(text, '\\') >= 0 {
		text = lineBreaks.Replace(text)
	}
	if !strings.ContainsFunc(text, unicode.IsSpace) {
		return text
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, text)
}

var lineBreaks = strings.NewReplacer(`\.br\`, "", `\X0D\`, "", `\X0A\`, "", `\X0D0A\`, "", `\r`, "", `\n`, "")

// dataURI decodes what stands behind data:, and returns the media type that it says.
func (r *run) dataURI(text string) (content []byte, declared string, p *problem) {
	head, data, ok := strings.Cut(text, ",")
	wrong := &problem{id: "data-uri-format", want: "want a data: URI such as data:application/pdf;base64,…"}
	if !ok || len(head) > 200 {
		return nil, "", wrong
	}
	if typ, ok := cutSuffixFold(strings.TrimSpace(head), ";base64"); ok {
		content, p = r.base64(data)
		return content, mediaType(typ), p
	}
	if len(data) > 3*r.inst.lim.MaxAttachment {
		return nil, "", &problem{id: "attachment-too-large", want: r.tooLarge()}
	}
	plain, err := url.PathUnescape(data)
	switch {
	case err != nil || plain == "":
		return nil, "", wrong
	case len(plain) > r.inst.lim.MaxAttachment:
		return nil, "", &problem{id: "attachment-too-large", want: r.tooLarge()}
	}
	return []byte(plain), mediaType(head), nil
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || !strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// mediaType returns a text that can be a media type, "" for any other: PDF alone is none, the first bytes decide.
func mediaType(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	typ, sub, ok := strings.Cut(text, "/")
	if !ok || typ == "" || sub == "" || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		return ""
	}
	return text
}

// magic tells a kind of file by its first bytes, "" when they are of none.
func magic(b []byte) string {
	for _, m := range []struct{ prefix, typ string }{
		{"%PDF-", "application/pdf"},
		{"\x89PNG\r\n\x1a\n", "image/png"},
		{"\xFF\xD8\xFF", "image/jpeg"},
		{"GIF87a", "image/gif"},
		{"GIF89a", "image/gif"},
		{"II*\x00", "image/tiff"},
		{"MM\x00*", "image/tiff"},
		{`{\rtf`, "application/rtf"},
		{"<?xml", "application/xml"},
		{"\xEF\xBB\xBF<?xml", "application/xml"},
	} {
		if bytes.HasPrefix(b, []byte(m.prefix)) {
			return m.typ
		}
	}
	switch {
	case len(b) >= 132 && string(b[128:132]) == "DICM":
		return "application/dicom"
	case len(b) >= 10 && string(b[:2]) == "BM" && string(b[6:10]) == "\x00\x00\x00\x00": // the reserved bytes of its header
		return "image/bmp"
	}
	return ""
}

// sniff tells the media type of a content by its first bytes: a known kind, else text or bytes.
func sniff(content []byte) string {
	if typ := magic(content); typ != "" {
		return typ
	}
	if utf8.Valid(content) && !bytes.ContainsFunc(content, func(c rune) bool { return unicode.IsControl(c) && !unicode.IsSpace(c) }) {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
