package table

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// ours writes what elements reads: tags with their attribute a, and text joined over its pieces.
func ours(r io.Reader) (string, error) {
	x := newElements(r, 1<<20)
	var out strings.Builder
	for {
		kind, err := x.next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		switch kind {
		case startTag:
			a, err := x.attrText("a")
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "<%s a=%q>", x.local(), a)
		case endTag:
			fmt.Fprintf(&out, "</%s>", x.local())
		case charData:
			b, err := appendText(nil, x.data, x.cdata)
			if err != nil {
				return "", err
			}
			out.Write(b)
		}
	}
}

func theirs(text string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	var out strings.Builder
	for depth := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			a := ""
			for _, attr := range t.Attr {
				if attr.Name.Local == "a" {
					a = attr.Value
				}
			}
			fmt.Fprintf(&out, "<%s a=%q>", t.Name.Local, a)
		case xml.EndElement:
			depth--
			fmt.Fprintf(&out, "</%s>", t.Name.Local)
		case xml.CharData:
			if depth > 0 {
				out.Write(t)
			}
		}
	}
}

// document draws a well-formed document.
func document(t *rapid.T) string {
	var b strings.Builder
	text := rapid.SampledFrom([]string{"", "x", " ", "病人", "&amp;", "&#x4E2D;", "&lt;&gt;", "<!-- <a> -- -->", "<![CDATA[<&]]]]>", "\r\n", "]", "a\rb", "<?pi x?>", "\"'"})
	value := rapid.SampledFrom([]string{`"x"`, `'y"'`, `"&quot;1>2"`, `""`, ` = "z"`[2:]})
	var element func(depth int)
	element = func(depth int) {
		name := rapid.SampledFrom([]string{"c", "row", "x:v", "行"}).Draw(t, "name")
		b.WriteString("<" + name)
		if rapid.Bool().Draw(t, "attribute") {
			b.WriteString(rapid.SampledFrom([]string{` a=`, "\n b='1' a=", " p:a="}).Draw(t, "before") + value.Draw(t, "value"))
		}
		if rapid.Bool().Draw(t, "empty") {
			b.WriteString(rapid.SampledFrom([]string{"/>", " />"}).Draw(t, "end"))
			return
		}
		b.WriteString(">" + text.Draw(t, "text"))
		for range rapid.IntRange(0, 3-min(depth, 3)).Draw(t, "kids") {
			element(depth + 1)
			b.WriteString(text.Draw(t, "text"))
		}
		b.WriteString("</" + name + rapid.SampledFrom([]string{">", " >"}).Draw(t, "end"))
	}
	b.WriteString(rapid.SampledFrom([]string{"", `<?xml version="1.0" encoding="UTF-8"?>` + "\n", "<!-- x -->"}).Draw(t, "prolog"))
	element(0)
	b.WriteString("\n")
	return strings.ReplaceAll(b.String(), "<!-- <a> -- -->", "<!-- <a> - -->")
}

func TestElementsAreThoseOfTheStandardReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := document(t)
		want, err := theirs(text)
		if err != nil {
			t.Skip(err) // a prefix that is not bound
		}
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "with the end": iotest.DataErrReader(strings.NewReader(text))} {
			if got, err := ours(r); err != nil || got != want {
				t.Fatalf("%s: %q:\n got %q, %v\nwant %q", name, text, got, err, want)
			}
		}
		for cut := range text {
			if _, err := ours(strings.NewReader(text[:cut])); err == nil && strings.TrimSpace(text[cut:]) != "" {
				t.Fatalf("%q: its beginning %q is taken for all", text, text[:cut])
			}
		}
	})
}

func TestElementsRefuseWhatIsNotWellFormed(t *testing.T) {
	for _, text := range []string{
		"", " ", "x", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "x<a/>", "<a></a", "<!DOCTYPE a><a/>", "<a><!ENTITY x ''></a>", "<a>&x;</a>", "<a>&amp</a>", "<a>&#0;</a>",
		"<a>&#xD800;</a>", "<a>&#99999999;</a>", "<a><![CDATA[</a>", "<a><!-- </a>", "<a b='<c>'/><", "<>x</>", "< a/>", "<a>\xFF</a>", "<?xml version='1.0' encoding='GBK'?><a/>",
	} {
		if got, err := ours(strings.NewReader(text)); err == nil {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
